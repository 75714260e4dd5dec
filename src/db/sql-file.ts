import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** The package's sql directory lies two levels above this file, whether it runs from src/db or from dist/db. */
const root = fileURLToPath(new URL('../../sql/', import.meta.url));
const texts = new Map<string, string>();

/**
 * Reads a file of the sql directory, once.
 * @param relativePath with / as separator, such as "queries/list_tables.sql"
 */
export function readSqlFile(relativePath: string): string {
  let text = texts.get(relativePath);
  if (text === undefined) {
    text = readFileSync(`${root}${relativePath}`, 'utf8');
    texts.set(relativePath, text);
  }
  return text;
}

/**
 * The .sql files below a directory of the sql directory, as paths for `readSqlFile`, in the order of their character
 * codes, so the same on every machine. Empty when there is no such directory.
 * @param directory such as "migrations"
 */
export function listSqlFiles(directory: string): string[] {
  let names: string[];
  try {
    names = readdirSync(`${root}${directory}`, { recursive: true, encoding: 'utf8' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
  return names
    .filter((name) => name.endsWith('.sql'))
    .map((name) => `${directory}/${name.replaceAll('\\', '/')}`)
    .sort();
}
