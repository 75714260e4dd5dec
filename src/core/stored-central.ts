import { withConnection } from '../db/connection.js';
import { type ConnectionSettings, type Environment, parseConnection } from '../db/connection-settings.js';
import { readSqlFile } from '../db/sql-file.js';

interface StoredCentralRow {
  server_options: string[] | null;
  mapping_options: string[] | null;
}

/**
 * Finds out how a clone reaches its central: the foreign server that deploy created there, with the user mapping of the
 * role that connects. `environment` is where the settings of the user are found, for a password that is not stored.
 *
 * @returns undefined when the database has no such server, so was never deployed to
 */
export async function findStoredCentral(
  clone: ConnectionSettings,
  environment: Environment,
): Promise<ConnectionSettings | undefined> {
  const rows = await withConnection(clone, (connection) =>
    connection.query<StoredCentralRow>(readSqlFile('queries/find-stored-central.sql')),
  );
  const row = rows[0];
  if (row === undefined) return undefined;
  const options = [...(row.server_options ?? []), ...(row.mapping_options ?? [])];
  // what the environment says about connections is meant for the clone, not for the server behind it
  return parseConnection(options.map(quoteOption).join(' '), { ...environment, variables: {} });
}

/** Turns an option of a foreign server, `host=a b`, into conninfo, `host='a b'`. */
function quoteOption(option: string): string {
  const equals = option.indexOf('=');
  const value = option.slice(equals + 1).replace(/[\\']/g, (character) => `\\${character}`);
  return `${option.slice(0, equals)}='${value}'`;
}
