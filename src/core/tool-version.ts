import { readFileSync } from 'node:fs';

/** Version of this program, such as "1.2.3". */
export const toolVersion: string = (
  JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string }
).version;

/** Below zero when version `a` is older than `b`, zero when neither is, above zero when newer; suffixes don't count. */
export function compareVersions(a: string, b: string): number {
  const [left, right] = [a, b].map(
    (version) =>
      version
        .split(/[^0-9.]/, 1)[0]
        ?.split('.')
        .map(Number) ?? [],
  );
  for (let index = 0; index < 3; index++) {
    const difference = (left?.[index] ?? 0) - (right?.[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
