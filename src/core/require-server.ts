import type { Connection } from '../db/connection.js';
import { DatabaseError } from '../db/postgres-error.js';
import { readSqlFile } from '../db/sql-file.js';
import { LizsyncError } from '../errors.js';
import { hashRoutines, ownSqlDirectory, readSchemaFiles, resolveRoutines, type ServerRole } from './schema-files.js';
import { compareVersions, toolVersion } from './tool-version.js';

export interface KnownServer {
  serverId: string;
  serverName: string;
}

interface ServerRow {
  server_id: string;
  server_name: string;
  server_role: ServerRole;
  migration_number: number | null;
  routines_sha256: string | null;
  tool_version: string | null;
  extension_schemas: Record<string, string> | null;
}

/**
 * Makes sure that a database is a server of the wanted role and has the schema of this program. One round trip.
 * @throws LizsyncError when lizsync is not installed, is older or newer than this program, or the role is another
 */
export async function requireServer(connection: Connection, role: ServerRole): Promise<KnownServer> {
  const place = connection.description;
  const row = await identifyServer(connection, role);
  if (row.server_role !== role) {
    throw new LizsyncError(`${place} is not a ${role} but a ${row.server_role} ("${row.server_name}")`, {
      hint: 'Check which connection is given with --central and which with --clone.',
    });
  }
  const files = readSchemaFiles(ownSqlDirectory);
  const routines = resolveRoutines(files.routines, new Map(Object.entries(row.extension_schemas ?? {})));
  if (row.migration_number !== files.migrations.length || row.routines_sha256 !== hashRoutines(routines)) {
    const isNewer =
      (row.migration_number ?? 0) > files.migrations.length ||
      compareVersions(row.tool_version ?? '0', toolVersion) > 0;
    throw new LizsyncError(
      `lizsync in ${place} is of ${isNewer ? 'a newer' : 'another'} version (${row.tool_version}) than this program (${toolVersion})`,
      { hint: isNewer ? 'Upgrade the program: npm install --global lizsync@latest' : `Run: lizsync upgrade --${role}` },
    );
  }
  return { serverId: row.server_id, serverName: row.server_name };
}

async function identifyServer(connection: Connection, role: ServerRole): Promise<ServerRow> {
  const missingSchemaOrTable = ['3F000', '42P01'];
  try {
    const [row] = await connection.query<ServerRow>(readSqlFile('queries/identify-server.sql'));
    if (row !== undefined) return row;
  } catch (error) {
    const isMissing = error instanceof DatabaseError && missingSchemaOrTable.includes(error.sqlstate ?? '');
    if (!isMissing) throw error;
  }
  throw new LizsyncError(`lizsync is not installed in ${connection.description}`, { hint: installHint(role) });
}

/** What to do about a database without lizsync. */
export function installHint(role: ServerRole): string {
  return role === 'central'
    ? 'To make it the central, run: lizsync install --central'
    : 'To make it a clone, deploy a package into it: lizsync deploy ARCHIVE --clone';
}
