import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { withArchive } from '../../src/archive/archive-reader.js';
import { createFolder } from './packages.js';
import { makeZip } from './zip.js';

/** Writes an archive again with another manifest or other contents; checksums stay those of the manifest. */
export async function rewriteArchive(
  file: string,
  // biome-ignore lint/suspicious/noExplicitAny: to be spoiled
  change: (manifest: any) => void,
  contents: Record<string, (text: string) => string> = {},
): Promise<string> {
  const entries = await withArchive(file, async (archive) => {
    const list: { name: string; content: string }[] = [];
    for (const name of Object.keys(archive.manifest.entries)) {
      const text = await archive.readText(name);
      list.push({ name, content: contents[name]?.(text) ?? text });
    }
    const manifest = structuredClone(archive.manifest);
    change(manifest);
    return [...list, { name: 'manifest.json', content: JSON.stringify(manifest) }];
  });
  const copy = path.join(await createFolder(), 'rewritten.zip');
  await writeFile(copy, makeZip(entries));
  return copy;
}
