import { createReadStream, statSync } from 'node:fs';
import pgpass from 'pgpass/lib/helper.js';
import type { ConnectionSettings, HostSettings } from './connection-settings.js';

/** The directories that libpq may have been built with; a password file calls a server behind them "localhost". */
const defaultSocketDirectories = ['/var/run/postgresql', '/tmp'];

/**
 * The password for one host of a connection: the one that was given, else the one of the first line of the password
 * file that fits. A password file that others can read is passed over with a warning, as libpq does.
 *
 * pgpass is asked for the matching line only: its own entry point reads the file's name and mode, and whether to look
 * at all, from process.env, but which file counts (passfile=, a service, PGPASSFILE) is decided in the settings.
 *
 * @returns undefined when there is none
 */
export async function findPassword(
  settings: ConnectionSettings,
  host: HostSettings,
  onWarning?: (text: string) => void,
): Promise<string | undefined> {
  if (settings.password !== undefined) return settings.password;
  const file = settings.passwordFile;
  if (file === undefined) return undefined;
  const status = statSync(file, { throwIfNoEntry: false });
  if (status === undefined) return undefined;
  if (!status.isFile()) {
    onWarning?.(`the password file "${file}" is not a plain file and is not used`);
    return undefined;
  }
  if (process.platform !== 'win32' && (status.mode & 0o077) !== 0) {
    onWarning?.(`the password file "${file}" can be read by others and is not used; run: chmod 600 "${file}"`);
    return undefined;
  }
  const entry = {
    host: defaultSocketDirectories.includes(host.host) ? 'localhost' : host.host,
    port: host.port,
    database: settings.database,
    user: settings.user,
  };
  return new Promise((resolve, reject) => {
    // Opened here first: pgpass prints to stderr when it cannot read.
    const stream = createReadStream(file, 'utf8');
    stream.once('error', reject);
    stream.once('open', () => pgpass.getPassword(entry, stream, resolve));
  });
}
