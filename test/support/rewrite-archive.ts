import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { buffer } from 'node:stream/consumers';
import { openPromise } from 'yauzl';
import { createFolder } from './packages.js';
import { makeZip } from './zip.js';

/** What ZIP programs extract from an archive: its entries, in their order. */
export async function readZip(file: string): Promise<{ name: string; content: Buffer }[]> {
  const zip = await openPromise(file, { lazyEntries: true, autoClose: false });
  try {
    const entries: { name: string; content: Buffer }[] = [];
    for await (const entry of zip.eachEntry()) {
      entries.push({ name: entry.fileName, content: await buffer(await zip.openReadStreamPromise(entry)) });
    }
    return entries;
  } finally {
    zip.close();
  }
}

/** Writes an archive again with another manifest or other contents; checksums stay those of the manifest. */
export async function rewriteArchive(
  file: string,
  // biome-ignore lint/suspicious/noExplicitAny: to be spoiled
  change: (manifest: any) => void,
  contents: Record<string, (text: string) => string> = {},
): Promise<string> {
  const entries = (await readZip(file)).map(({ name, content }) => {
    if (name !== 'manifest.json') return { name, content: contents[name]?.(content.toString()) ?? content };
    const manifest = JSON.parse(content.toString());
    change(manifest);
    return { name, content: JSON.stringify(manifest) };
  });
  const copy = path.join(await createFolder(), 'rewritten.zip');
  await writeFile(copy, makeZip(entries));
  return copy;
}
