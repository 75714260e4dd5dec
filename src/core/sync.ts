import pg from 'pg';
import { type Connection, openConnection, pipeCopy, type TransactionOptions } from '../db/connection.js';
import type { ConnectionSettings } from '../db/connection-settings.js';
import { DatabaseError } from '../db/postgres-error.js';
import { readSqlFile } from '../db/sql-file.js';
import { LizsyncError } from '../errors.js';
import type { ProgressCallback } from './progress.js';
import { reportWarnings } from './report-warnings.js';
import { installHint } from './require-server.js';
import { retryTransactions } from './retry.js';
import type { ServerRole } from './schema-files.js';

export interface SynchronizeOptions {
  central: ConnectionSettings;
  clone: ConnectionSettings;
  /** Let the clone do the work over its own connection to the central; `central` is not used then. */
  viaClone?: boolean;
  /** Synchronise only these tables; undefined: all. */
  tables?: { schema: string; table: string }[] | undefined;
  /** Whether what a sync that broke off has delivered is used, true by default; a clone that does the work itself never does. */
  resume?: boolean | undefined;
  /** Ends the synchronisation when aborted; nothing is lost by that. */
  signal?: AbortSignal | undefined;
}

export interface SynchronizeResult {
  sync_id: string;
  /** Rows changed in the central. */
  pushed: number;
  /** Rows changed in the clone. */
  pulled: number;
  conflicts: number;
  /** Changes that the central or the clone could not apply, of this sync and of earlier ones. */
  held: number;
  /** Clock of the clone minus clock of the central, in milliseconds. */
  clock_offset_ms: number;
}

/** What lizsync.get_clone_state and lizsync.open_sync say, as far as it is looked at here. */
interface ServerState {
  server_id: string;
  server_name: string;
  /** How far the other side's log has been applied there. */
  position: string;
  /** Tables for which it was applied further. */
  ahead: unknown[];
  /** What is staged there of a delivery that broke off; null: nothing. */
  stage: Stage | null;
  /** Seconds since 1970 by the clock of the server. */
  clock: number;
}
interface Stage {
  /** The sync that delivered. */
  sync_id: string;
  /** The position of the delivery. */
  seen: string;
  /** All rows whose last event is below this have arrived. */
  complete_below: string;
}
interface CloneState extends ServerState {
  /** The tables to synchronise; null: all. */
  tables: unknown[] | null;
}
interface CentralState extends ServerState {
  different_tables: string[];
  /** Partitions that are new there and got what others have, in this transaction. */
  adopted_partitions: number;
}
interface Delivery {
  position: string;
  has_changes: boolean;
  /** Worth to be committed part by part on its way. */
  is_large: boolean;
}
interface HalfResult {
  rows: number;
  conflicts: number;
  held: number;
  /** How far the receiver is now. */
  position: string;
  ahead: unknown[];
}

/** What lizsync.take_stage raises when what is left of an earlier delivery is not what the sender thinks. */
const unfitStage = 'LZ005';

const stagedColumns =
  'schema_name, table_name, uid, action, origin_server_id, changed_at, corrected_at, new_values, event_id';

/** Encodings of databases whose text reaches a client that reads UTF-8 byte by byte as it is. */
const plainEncodings = ['UTF8', 'SQL_ASCII'];

/**
 * Synchronises a clone with its central: carries the clone's changes to the central, then the central's to the clone. Each
 * half is one transaction of its receiver, so an end at any point loses nothing. Deadlocks are tried again a few times.
 * @throws LizsyncError with exit code 4 when another sync of this clone is running; DatabaseError
 */
export async function synchronize(
  options: SynchronizeOptions,
  onProgress: ProgressCallback = () => {},
): Promise<SynchronizeResult> {
  const { signal } = options;
  const tables = options.tables?.map(({ schema, table }) =>
    [schema, table].map((name) => pg.escapeIdentifier(name)).join('.'),
  );
  const onNotice = reportWarnings(onProgress);
  const clone = await openConnection(options.clone, { role: 'clone', onNotice, signal });
  try {
    if (options.viaClone)
      return await retryTransactions(onProgress, [clone], () => synchronizeViaClone(clone, tables, onProgress));
    const central = await openConnection(options.central, { role: 'central', onNotice, signal });
    try {
      const run = (resume: boolean): Promise<SynchronizeResult> =>
        retryTransactions(onProgress, [clone, central], () =>
          synchronizeServers(central, clone, { tables, resume }, onProgress),
        );
      if (options.resume === false) return await run(false);
      return await run(true).catch((error: unknown) => {
        if (!(error instanceof DatabaseError) || error.sqlstate !== unfitStage) throw error;
        onProgress({ kind: 'step', text: `beginning again (${error.message})` });
        return run(false);
      });
    } finally {
      await central.close();
    }
  } finally {
    await clone.close();
  }
}

async function synchronizeServers(
  central: Connection,
  clone: Connection,
  options: { tables: string[] | undefined; resume: boolean },
  onProgress: ProgressCallback,
): Promise<SynchronizeResult> {
  const { tables, resume } = options;
  onProgress({ kind: 'step', text: 'looking for changes' });
  const cloneState = await timeAnswer(() =>
    begin<CloneState>(clone, {}, 'get_clone_state', ...(tables === undefined ? [] : [toArrayLiteral(tables)])),
  ).catch(explainRefusal(clone, 'clone'));
  const open = (): Promise<TimedAnswer<CentralState>> =>
    timeAnswer(() => begin<CentralState>(central, {}, 'open_sync', JSON.stringify(cloneState.answer)));
  let centralState = await open().catch(explainRefusal(central, 'central'));
  if (centralState.answer.adopted_partitions > 0) {
    // nobody should wait for their locks until the clone's changes have arrived
    await central.commit();
    centralState = await open();
  }
  const { server_id: cloneId, position: clonePosition, ahead: cloneAhead, tables: scope } = cloneState.answer;
  const { server_id: centralId, position: centralPosition, ahead: centralAhead } = centralState.answer;
  const { different_tables: differentTables } = centralState.answer;
  if (differentTables.length > 0) await explainDifference(central, cloneId, clone, centralId, differentTables);

  const begun = await commit<{
    sync_id: string;
    transaction_id: string;
    clock_offset_ms: number;
    sequences: unknown;
  }>(
    clone,
    'begin_sync',
    JSON.stringify(centralState.answer),
    String(cloneState.millisecondsAhead - centralState.millisecondsAhead),
    String(cloneState.uncertainty + centralState.uncertainty),
  );
  const { sync_id: syncId, clock_offset_ms: clockOffset } = begun;
  const details = {
    transport: 'cli',
    clock_offset_ms: clockOffset,
    transaction_id: begun.transaction_id,
    sequences: begun.sequences,
  };

  const pushed = await beginReading(clone, syncId, centralId, centralPosition);
  const pushStage = resume && pushed.has_changes ? centralState.answer.stage : null;
  if (pushed.has_changes) {
    onProgress({ kind: 'step', text: describeCarriage('central', pushStage) });
    await carry(
      { ...pushed, syncId, receiverId: centralId, from: centralPosition, ahead: centralAhead, scope, stage: pushStage },
      -clockOffset,
      { connection: clone, serverId: cloneId },
      central,
    );
  }
  const push = await commit<HalfResult>(
    central,
    'receive_changes',
    syncId,
    cloneId,
    centralPosition,
    pushed.position,
    clonePosition,
    JSON.stringify({
      ...details,
      resumed: pushStage?.sync_id,
      scope: { tables: scope, from_ahead: centralAhead, sender_ahead: cloneAhead },
    }),
  );

  const pulled = await beginReading(central, syncId, cloneId, clonePosition);
  await clone.commitAndBegin();
  const pullStage = resume && pulled.has_changes ? cloneState.answer.stage : null;
  if (pulled.has_changes) {
    onProgress({ kind: 'step', text: describeCarriage('clone', pullStage) });
    await carry(
      { ...pulled, syncId, receiverId: cloneId, from: clonePosition, ahead: cloneAhead, scope, stage: pullStage },
      0,
      { connection: central, serverId: centralId },
      clone,
    );
  }
  const pull = await commit<HalfResult>(
    clone,
    'receive_changes',
    syncId,
    centralId,
    clonePosition,
    pulled.position,
    push.position,
    JSON.stringify({
      ...details,
      resumed: pullStage?.sync_id,
      push,
      scope: { tables: scope, from_ahead: cloneAhead, sender_ahead: push.ahead },
    }),
  );
  // the clone has everything; what the central notes about that serves monitoring and pruning, and the next sync says it again
  try {
    await commit(central, 'finish_sync', syncId, cloneId, pull.position, JSON.stringify(pull));
  } catch (error) {
    onProgress({
      kind: 'warning',
      text: `the central could not note the end of the sync: ${(error as Error).message}`,
    });
  }

  return {
    sync_id: syncId,
    pushed: push.rows,
    pulled: pull.rows,
    conflicts: push.conflicts + pull.conflicts,
    held: push.held + pull.held,
    clock_offset_ms: Math.round(clockOffset),
  };
}

async function synchronizeViaClone(
  clone: Connection,
  tables: string[] | undefined,
  onProgress: ProgressCallback,
): Promise<SynchronizeResult> {
  onProgress({ kind: 'step', text: 'the clone synchronises itself' });
  await clone.begin();
  const [counts] = await clone
    .query<{ pushed: string; pulled: string; conflicts: string }>(readSqlFile('queries/sync-via-clone.sql'), [
      tables ?? null,
    ])
    .catch(explainRefusal(clone, 'clone'));
  const last = await commit<{ sync_id: string; held: number; clock_offset_ms: number }>(clone, 'get_last_sync');
  if (counts === undefined) throw new Error('lizsync.synchronize() returned nothing');
  return {
    sync_id: last.sync_id,
    pushed: Number(counts.pushed),
    pulled: Number(counts.pulled),
    conflicts: Number(counts.conflicts),
    held: last.held,
    clock_offset_ms: last.clock_offset_ms,
  };
}

/** For a sync that may not, or cannot, even begin: names the command that helps. */
function explainRefusal(connection: Connection, serverRole: ServerRole): (error: unknown) => never {
  const insufficientPrivilege = '42501';
  const undefinedSchema = '3F000';
  const undefinedFunction = '42883';
  return (error) => {
    if (!(error instanceof DatabaseError)) throw error;
    const user = connection.settings.user;
    const { details } = error;
    switch (error.sqlstate) {
      case insufficientPrivilege:
        throw new LizsyncError(`${user} may not synchronise ${connection.description}: ${error.message}`, {
          hint: `The owner of the database can allow it: lizsync grant --${serverRole} --role ${user}`,
          details,
          cause: error,
        });
      case undefinedSchema:
        throw new LizsyncError(`lizsync is not installed in ${connection.description}`, {
          hint: installHint(serverRole),
          cause: error,
        });
      case undefinedFunction:
        throw new LizsyncError(`lizsync in ${connection.description} is of another version than this program`, {
          hint: `Run: lizsync upgrade --${serverRole}`,
          details,
          cause: error,
        });
      default:
        throw error;
    }
  };
}

/** Begins the transaction in which a sender reads its window and the position that goes with it. */
async function beginReading(sender: Connection, syncId: string, receiverId: string, from: string): Promise<Delivery> {
  return await begin<Delivery>(sender, { isolation: 'repeatable read' }, 'start_delivery', syncId, receiverId, from);
}

interface Carriage extends Delivery {
  syncId: string;
  receiverId: string;
  from: string;
  /** Tables for which the receiver is further than that. */
  ahead: unknown[];
  /** The tables to carry; null: all. */
  scope: unknown[] | null;
  /** What the receiver has of it already; null: nothing. */
  stage: Stage | null;
}

/**
 * Pipes the sender's net changes into the receiver's staging table; both are in a transaction. What is large is committed
 * there part by part, so that the next sync can go on where this one breaks off.
 * @param clockShift milliseconds to add to times of the sender's clock to get the central's
 */
async function carry(
  carriage: Carriage,
  clockShift: number,
  sender: { connection: Connection; serverId: string },
  receiver: Connection,
): Promise<void> {
  const { syncId, receiverId, from, stage } = carriage;
  const scope = [JSON.stringify(carriage.ahead), carriage.scope && JSON.stringify(carriage.scope)] as const;
  const window = toArguments(receiverId, from, ...scope, `${clockShift.toFixed(3)} milliseconds`);
  const outgoing =
    stage === null
      ? `lizsync.outgoing_changes(${window})`
      : `lizsync.resumed_changes(${window}, ${toArguments(stage.seen, stage.complete_below)})`;
  const isPlain = plainEncodings.includes(sender.connection.parameters.get('server_encoding') ?? '');
  const outgoingColumns = isPlain
    ? stagedColumns
    : stagedColumns.replace('new_values', 'lizsync.values_in_utf8(new_values)');
  const copy = `copy lizsync.staged_changes (${stagedColumns}) from stdin with (format binary)`;
  await pipeCopy(
    sender.connection,
    `copy (select ${outgoingColumns} from ${outgoing}) to stdout with (format binary)`,
    receiver,
    carriage.is_large
      ? {
          copy,
          before: `call lizsync.keep_stage(${toArguments(syncId, sender.serverId, from, ...scope, carriage.position, stage?.sync_id ?? null)})`,
          beforeEach: `call lizsync.continue_stage(${literal(syncId)})`,
        }
      : `set local lizsync.sync_id = ${literal(syncId)}; ${copy}`,
  );
}

function describeCarriage(role: ServerRole, stage: Stage | null): string {
  return `carrying changes to the ${role}${stage === null ? '' : ', going on where an earlier sync broke off'}`;
}

/** Throws the error that names each table and column that differs. */
async function explainDifference(
  central: Connection,
  cloneId: string,
  clone: Connection,
  centralId: string,
  tables: string[],
): Promise<void> {
  const describe = async (server: Connection, peerId: string): Promise<string> => {
    const [row] = await server.query<{ result: unknown }>('select lizsync.describe_columns($1, $2) as result', [
      peerId,
      tables,
    ]);
    return JSON.stringify(row?.result);
  };
  const ofClone = await describe(clone, centralId);
  const ofCentral = await describe(central, cloneId);
  await clone.query('select lizsync.check_same_structure($1, $2)', [ofClone, ofCentral]);
}

interface TimedAnswer<T> {
  answer: T;
  /** Clock of the server minus this program's own, which begins anywhere: at the middle of the round trip that asked. */
  millisecondsAhead: number;
  /** How far that may be off, in milliseconds. */
  uncertainty: number;
}

async function timeAnswer<T extends ServerState>(ask: () => Promise<T>): Promise<TimedAnswer<T>> {
  const askedAt = performance.now();
  const answer = await ask();
  const answeredAt = performance.now();
  return {
    answer,
    millisecondsAhead: answer.clock * 1000 - (askedAt + answeredAt) / 2,
    uncertainty: (answeredAt - askedAt) / 2,
  };
}

/** Begins a transaction and calls a function of lizsync in the same round trip. */
async function begin<T>(
  connection: Connection,
  options: TransactionOptions,
  name: string,
  ...values: string[]
): Promise<T> {
  return takeResult<T>(await connection.begin<{ result: T }>(options, toCall(name, ...values)));
}

/** Calls a function of lizsync and commits in the same round trip. */
async function commit<T>(connection: Connection, name: string, ...values: string[]): Promise<T> {
  return takeResult<T>(await connection.commit<{ result: T }>(toCall(name, ...values)));
}

function takeResult<T>(rows: { result: T }[]): T {
  const [row] = rows;
  if (row === undefined) throw new Error('a function of lizsync returned nothing');
  return row.result;
}

function toCall(name: string, ...values: string[]): string {
  return `select lizsync.${pg.escapeIdentifier(name)}(${toArguments(...values)}) as result`;
}

function toArguments(...values: (string | null)[]): string {
  return values.map((value) => (value === null ? 'null' : literal(value))).join(', ');
}

/** A text[] as PostgreSQL writes it. */
function toArrayLiteral(values: string[]): string {
  return `{${values.map((value) => `"${value.replace(/[\\"]/g, '\\$&')}"`).join(',')}}`;
}

function literal(value: string): string {
  return pg.escapeLiteral(value);
}
