import { type Connection, withConnection, withTransaction } from '../db/connection.js';
import type { ConnectionSettings } from '../db/connection-settings.js';
import { DatabaseError } from '../db/postgres-error.js';
import { LizsyncError, UsageError } from '../errors.js';
import type { ProgressCallback } from './progress.js';
import { installHint } from './require-server.js';
import { retryTransactions } from './retry.js';
import type { ServerRole } from './schema-files.js';

/** Where held changes are looked for. With both, in the central only those that came from this clone. */
export interface HeldServers {
  central?: ConnectionSettings | undefined;
  clone?: ConnectionSettings | undefined;
  /** Ends the work when aborted. */
  signal?: AbortSignal | undefined;
}

export interface HeldValue {
  column: string;
  value: string | null;
  /** Whether only the beginning of the value is there. */
  is_shortened: boolean;
}

/** What one writer wanted: the values of an insert or update, none of a delete. */
export interface HeldPart {
  origin_server_id: string;
  /** By the clock of the server where it was changed. */
  changed_at: string;
  values: HeldValue[];
}

export interface HeldChange {
  heldId: number;
  /** The server that sent the change. */
  peerName: string;
  schema: string;
  table: string;
  uid: string;
  action: 'insert' | 'update' | 'delete';
  /** Why the change was refused. */
  sqlstate: string;
  message: string;
  heldSince: Date;
  lastTriedAt: Date;
  /** In the order of the writing. */
  parts: HeldPart[];
}

export interface ServerHeldChanges {
  role: ServerRole;
  server: string;
  /** Oldest first. */
  held: HeldChange[];
}

export interface RetriedChanges {
  role: ServerRole;
  server: string;
  /** How many held changes were tried. */
  tried: number;
  /** Rows that changed in the server. */
  rows: number;
  conflicts: number;
  /** How many are still held. */
  held: number;
}

export interface DiscardedChange {
  heldId: number;
  server: string;
  peerName: string;
  schema: string;
  table: string;
  uid: string;
  /** What the next sync does to the row in the server that had sent the change; null: nothing. */
  effect: 'deletes' | 'restores' | 'overwrites' | null;
}

interface ServerDescription {
  server_id: string;
  server_name: string;
  server_role: ServerRole;
}

interface HeldRow {
  held_id: string;
  peer_name: string;
  schema_name: string;
  table_name: string;
  uid: string;
  action: HeldChange['action'];
  sqlstate: string;
  message: string;
  held_since: Date;
  last_tried_at: Date;
  parts: HeldPart[];
}

/**
 * Lists the changes that servers received and could not apply.
 * @param options.valueLength characters of each value to show at most
 * @returns one entry for each server given, the central first
 * @throws LizsyncError when a database is not the server it is said to be; DatabaseError
 */
export async function listHeldChanges(
  options: HeldServers & { valueLength: number },
): Promise<{ servers: ServerHeldChanges[] }> {
  return {
    servers: await askServers(options, async (connection, role, server, peerId) => {
      const rows = await connection.query<HeldRow & Record<string, unknown>>(
        'select * from lizsync.list_held_changes($1, $2)',
        [peerId, options.valueLength],
      );
      return { role, server: server.server_name, held: rows.map(toHeldChange) };
    }),
  };
}

/**
 * Tries held changes again, without a sync. Each server is one transaction.
 * @returns one entry for each server given, the central first
 * @throws LizsyncError with exit code 4 when a sync is running; DatabaseError
 */
export async function retryHeldChanges(
  options: HeldServers,
  onProgress: ProgressCallback = () => {},
): Promise<{ servers: RetriedChanges[] }> {
  return {
    servers: await askServers(
      options,
      async (connection, role, server, peerId) => {
        const [row] = await connection.query<{ result: Omit<RetriedChanges, 'role' | 'server'> }>(
          'select lizsync.retry_held_changes($1) as result',
          [peerId],
        );
        if (row === undefined) throw new Error('lizsync.retry_held_changes() returned nothing');
        return { role, server: server.server_name, ...row.result };
      },
      onProgress,
    ),
  };
}

/**
 * Gives up a held change. What its server has instead travels to the sender with the next sync; the values that were
 * given up are recorded in lizsync.conflicts there.
 * @throws LizsyncError with exit code 2 when there is no such change, 4 when a sync is running; DatabaseError
 */
export async function discardHeldChange(options: {
  server: ConnectionSettings;
  role: ServerRole;
  heldId: number;
  signal?: AbortSignal | undefined;
}): Promise<DiscardedChange> {
  const { role, heldId, signal } = options;
  return withConnection(
    options.server,
    (connection) =>
      withTransaction(connection, {}, async () => {
        const { server_name: server } = await describeServer(connection, role);
        const [row] = await connection.query<{
          result: {
            peer_name: string;
            schema_name: string;
            table_name: string;
            uid: string;
            effect: DiscardedChange['effect'];
          };
        }>('select lizsync.discard_held_change($1) as result', [heldId]);
        if (row === undefined) throw new Error('lizsync.discard_held_change() returned nothing');
        const { peer_name: peerName, schema_name: schema, table_name: table, uid, effect } = row.result;
        return { heldId, server, peerName, schema, table, uid, effect };
      }),
    { role, signal },
  );
}

/** Asks the servers given, one after the other, each in a transaction that is tried again when it met somebody else's. */
async function askServers<T>(
  { central, clone, signal }: HeldServers,
  ask: (connection: Connection, role: ServerRole, server: ServerDescription, peerId: string | null) => Promise<T>,
  onProgress: ProgressCallback = () => {},
): Promise<T[]> {
  const askServer = async (
    role: ServerRole,
    settings: ConnectionSettings,
    peerId: string | null,
  ): Promise<{ server: ServerDescription; answer: T }> =>
    withConnection(
      settings,
      (connection) =>
        retryTransactions(onProgress, [connection], () =>
          withTransaction(connection, {}, async () => {
            const server = await describeServer(connection, role);
            return { server, answer: await ask(connection, role, server, peerId) };
          }),
        ),
      { role, signal },
    );
  // the clone first: what the central is asked for depends on who it is
  const ofClone = clone && (await askServer('clone', clone, null));
  const ofCentral = central && (await askServer('central', central, ofClone?.server.server_id ?? null));
  return [ofCentral, ofClone].filter((server) => server !== undefined).map(({ answer }) => answer);
}

/** Who a server is, in a way that a role may ask which can do no more than synchronise. */
async function describeServer(connection: Connection, role: ServerRole): Promise<ServerDescription> {
  const place = connection.description;
  let server: ServerDescription | null | undefined;
  try {
    const [row] = await connection.query<{ server: ServerDescription | null }>(
      'select lizsync.describe_server() as server',
    );
    server = row?.server;
  } catch (error) {
    const undefinedSchemaOrFunction = ['3F000', '42883'];
    if (!(error instanceof DatabaseError) || !undefinedSchemaOrFunction.includes(error.sqlstate ?? '')) throw error;
    throw new LizsyncError(`lizsync is not installed in ${place}, or is older than this program`, {
      hint: `To bring it up to date: lizsync upgrade --${role}. ${installHint(role)}`,
    });
  }
  if (server?.server_role !== role) {
    throw new UsageError(`${place} is not a ${role}${server ? ` but a ${server.server_role}` : ''}`, {
      hint: 'Check which connection is given with --central and which with --clone.',
    });
  }
  return server;
}

function toHeldChange(row: HeldRow): HeldChange {
  return {
    heldId: Number(row.held_id),
    peerName: row.peer_name,
    schema: row.schema_name,
    table: row.table_name,
    uid: row.uid,
    action: row.action,
    sqlstate: row.sqlstate,
    message: row.message,
    heldSince: row.held_since,
    lastTriedAt: row.last_tried_at,
    parts: row.parts,
  };
}
