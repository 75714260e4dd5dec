import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { LizsyncError } from '../errors.js';

/** The package's own sql directory. */
export const ownSqlDirectory: string = fileURLToPath(new URL('../../sql', import.meta.url));

export type ServerRole = 'central' | 'clone';

export interface SqlFile {
  /** Relative to the sql directory, with / as separator. */
  path: string;
  /** As committed, with LF at the end of lines. */
  text: string;
}

export interface Migration extends SqlFile {
  number: number;
  /** File name without directory and extension. */
  name: string;
  /** Of the text, in lower-case hexadecimal digits. */
  sha256: string;
}

export interface SchemaFiles {
  /** In ascending order, without gaps, from 1. */
  migrations: Migration[];
  /** In the order of their paths. */
  routines: SqlFile[];
}

/**
 * Reads the migrations and routines of a sql directory.
 * @throws LizsyncError when the migrations are not numbered from 1 without gaps
 */
export function readSchemaFiles(sqlDirectory: string): SchemaFiles {
  const migrations = readDirectory(sqlDirectory, 'migrations').map((file, index): Migration => {
    const name = path.posix.basename(file.path, '.sql');
    const number = Number(/^(\d{4})_/.exec(name)?.[1]);
    if (number !== index + 1) {
      throw new LizsyncError(`${file.path} should be migration ${index + 1}`, {
        hint: 'This installation of lizsync is damaged: install it again.',
      });
    }
    return { ...file, number, name, sha256: hashText(file.text) };
  });
  return { migrations, routines: readDirectory(sqlDirectory, 'routines') };
}

/** SHA-256 of a text in UTF-8, in lower-case hexadecimal digits. */
function hashText(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** Puts the quoted schemas of extensions in the place of `@extschema:NAME@`. Names that are not known stay. */
export function replaceExtensionSchemas(text: string, extensionSchemas: ReadonlyMap<string, string>): string {
  return text.replace(/@extschema:(\w+)@/g, (placeholder, name: string) => {
    const schema = extensionSchemas.get(name);
    return schema === undefined ? placeholder : pg.escapeIdentifier(schema);
  });
}

/** The routines with the schemas of extensions in place. */
export function resolveRoutines(routines: SqlFile[], extensionSchemas: ReadonlyMap<string, string>): SqlFile[] {
  return routines.map((file) => ({ path: file.path, text: replaceExtensionSchemas(file.text, extensionSchemas) }));
}

/** Identifies a set of resolved routines; changes also when an extension was moved: the functions must follow it. */
export function hashRoutines(routines: SqlFile[]): string {
  return hashText(routines.map(({ path, text }) => `${path}\n${text}\n`).join(''));
}

function readDirectory(sqlDirectory: string, name: string): SqlFile[] {
  return (
    readdirSync(path.join(sqlDirectory, name), { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.sql'))
      .map((file) => `${name}/${file.replaceAll(path.sep, '/')}`)
      // by character codes: the same on every machine
      .sort()
      // Git may have written CRLF on Windows: the hash must not depend on it
      .map((file) => ({
        path: file,
        text: readFileSync(path.join(sqlDirectory, file), 'utf8').replaceAll('\r\n', '\n'),
      }))
  );
}
