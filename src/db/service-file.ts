import { readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { UsageError } from '../errors.js';
import type { Environment } from './connection-settings.js';

/** Where the packages of PostgreSQL keep the service file of the whole system, when PGSYSCONFDIR does not say. */
const systemDirectories = ['/etc/postgresql-common', '/etc/sysconfig/pgsql', '/usr/local/etc/postgresql', '/etc'];

/**
 * The settings of one service from the first service file that defines it: PGSERVICEFILE or ~/.pg_service.conf, then
 * pg_service.conf of the system.
 *
 * @returns keyword and value pairs as written, in file order; of a keyword written twice the first counts, as in libpq
 * @throws UsageError when no file defines the service, or a file cannot be read or has a line that libpq refuses
 */
export function readService(name: string, environment: Environment): Map<string, string> {
  const { PGSERVICEFILE: ownFile, PGSYSCONFDIR: systemDirectory } = environment.variables;
  const userFile = ownFile ?? (environment.homeDirectory && path.join(environment.homeDirectory, '.pg_service.conf'));
  const directories = systemDirectory ? [systemDirectory] : systemDirectories;
  const systemFiles = directories.map((directory) => path.join(directory, 'pg_service.conf'));
  if (ownFile !== undefined && !isFile(ownFile)) {
    throw new UsageError(`the service file "${ownFile}" does not exist`, {
      hint: 'Correct the environment variable PGSERVICEFILE.',
    });
  }
  const files = [userFile, ...systemFiles].filter((file): file is string => file !== undefined && isFile(file));
  for (const file of files) {
    const settings = parseService(readText(file), name, file);
    if (settings !== undefined) return settings;
  }
  const searched = files.length > 0 ? files.join(', ') : [userFile, ...systemFiles].filter(Boolean).join(', ');
  throw new UsageError(`the service "${name}" is not defined`, {
    hint: `Add a section [${name}] to ~/.pg_service.conf, or name the file with PGSERVICEFILE. Searched: ${searched}`,
  });
}

/**
 * One section of a service file. These few lines read what libpq reads: a value is everything after the first "=", so
 * a password may hold # ; quotes and backslashes, which readers of INI files take for comments and escapes; and a space
 * before "=" is an error in libpq, so a file accepted here works with psql too.
 */
function parseService(text: string, name: string, file: string): Map<string, string> | undefined {
  let settings: Map<string, string> | undefined;
  for (const [index, raw] of text.split('\n').entries()) {
    const line = raw.replace(/^[ \t\n\v\f\r]+|[ \t\n\v\f\r]+$/g, '');
    if (line === '' || line.startsWith('#')) continue;
    if (line.startsWith('[')) {
      if (settings !== undefined) return settings;
      if (line.startsWith(`[${name}]`)) settings = new Map();
      continue;
    }
    if (settings === undefined) continue;
    const separator = line.indexOf('=');
    const keyword = line.slice(0, separator);
    if (separator < 1 || /\s/.test(keyword)) {
      throw new UsageError(`${file}, line ${index + 1}: not of the form keyword=value`, {
        hint: 'Write the keyword, "=" and the value without spaces around "=".',
      });
    }
    if (keyword === 'service') {
      throw new UsageError(`${file}, line ${index + 1}: a service cannot refer to another service`);
    }
    if (!settings.has(keyword)) settings.set(keyword, line.slice(separator + 1));
  }
  return settings;
}

function isFile(file: string): boolean {
  return statSync(file, { throwIfNoEntry: false })?.isFile() ?? false;
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new UsageError(`the service file "${file}" cannot be read: ${(cause as Error).message}`, { cause });
  }
}
