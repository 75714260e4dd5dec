import { writeFile } from 'node:fs/promises';
import { setTimeout as tick } from 'node:timers/promises';
import fc from 'fast-check';
import type pg from 'pg';
import { prune } from '../../src/core/prune.js';
import { synchronize } from '../../src/core/sync.js';
import { LizsyncError } from '../../src/errors.js';
import { type Entry, findEffects, Ledger } from './model-ledger.js';
import {
  actions,
  type Edit,
  type EditedTable,
  type State,
  slots,
  stateSql,
  tableGroups,
  toStatements,
} from './model-tables.js';
import type { ModelServer, ModelWorld } from './model-world.js';
import { toSettings } from './settings.js';

const transports = ['cli', 'cli by the clone', 'sql', 'sql, rolled back', 'sql after an edit, rolled back'] as const;
const mixedTransports = ['sql after an edit, committed', 'sql in a savepoint, rolled back'] as const;
const partialTransports = ['cli, one table', 'sql, one table'] as const;
const lockedTables = [
  'lizsync.links',
  'lizsync.staged_changes',
  'lizsync.stages',
  'lizsync.history',
  'lizsync.held_changes',
  'lizsync.conflicts',
  'audit.logged_actions',
  'audit.logged_relations',
  'test.parent',
  'test.child_cascade',
  'test.coded',
] as const;

/** Stops a sync where it needs a table that somebody has locked. */
interface Fault {
  where: 'central' | 'clone';
  table: (typeof lockedTables)[number];
  /** Reads of the table wait, too. */
  readsToo: boolean;
  /** What users do meanwhile. */
  edits: Edit[];
  outcome: 'go on' | 'terminate' | 'cancel' | 'abort';
}

/** One step of a history. */
export type Command =
  | { type: 'edit'; edit: Edit }
  | { type: 'transaction'; edits: Edit[]; undoFrom: number; end: 'commit' | 'rollback' }
  | { type: 'long'; edit: Edit; savepoint: 'none' | 'set' | 'roll back' }
  | { type: 'end'; server: number; how: 'commit' | 'rollback' }
  | {
      type: 'sync';
      clone: number;
      how: (typeof transports | typeof mixedTransports | typeof partialTransports)[number];
      edit: Edit;
      /** What becomes of the sync, or of the long transaction, when it has to wait for that. */
      whenBlocked: 'commit' | 'rollback' | 'terminate';
      fault: Fault | null;
    }
  | {
      type: 'all sync at once';
      /** What users do meanwhile. */
      edits: Edit[];
    }
  | { type: 'prune' };

/** Everything that decides about a history; plain data. */
export interface History {
  /** How many minutes the clock of each clone is ahead. */
  clocks: number[];
  commands: Command[];
}

/** What the histories of a run came to. */
export type Statistics = Record<string, number>;

/** Random histories for a central and `cloneCount` clones. */
export function arbitraryHistory(cloneCount: number, maxCommands: number): fc.Arbitrary<History> {
  return fc.oneof(...tableGroups.map((tables) => arbitraryHistoryOf(tables, cloneCount, maxCommands)));
}

function arbitraryHistoryOf(tables: EditedTable[], cloneCount: number, maxCommands: number): fc.Arbitrary<History> {
  const server = fc.nat(cloneCount);
  const clone = fc.integer({ min: 1, max: cloneCount });
  const edit: fc.Arbitrary<Edit> = fc.record({
    server,
    table: fc.constantFrom(...tables),
    action: fc.oneof(
      { weight: 3, arbitrary: fc.constant<Edit['action']>('update one') },
      { weight: 3, arbitrary: fc.constant<Edit['action']>('update special') },
      { weight: 3, arbitrary: fc.constant<Edit['action']>('insert') },
      { weight: 1, arbitrary: fc.constant<Edit['action']>('delete') },
      { weight: 1, arbitrary: fc.constant<Edit['action']>('delete with what restricts it') },
      { weight: 4, arbitrary: fc.constantFrom(...actions) },
    ),
    slot: fc.constantFrom(...slots),
    pick: fc.nat(3),
  });
  const fault: fc.Arbitrary<Fault> = fc.record({
    where: fc.constantFrom('central', 'clone'),
    table: fc.constantFrom(...lockedTables),
    readsToo: fc.boolean(),
    edits: fc.array(edit, { maxLength: 3 }),
    outcome: fc.constantFrom('go on', 'terminate', 'cancel', 'abort'),
  });
  const command: fc.Arbitrary<Command> = fc.oneof(
    { weight: 60, arbitrary: fc.record({ type: fc.constant('edit'), edit }) },
    {
      weight: 12,
      arbitrary: fc.record({
        type: fc.constant('transaction'),
        edits: fc.array(edit, { minLength: 2, maxLength: 4 }),
        undoFrom: fc.nat(8),
        end: fc.oneof(
          { weight: 4, arbitrary: fc.constant('commit') },
          { weight: 1, arbitrary: fc.constant('rollback') },
        ),
      }),
    },
    {
      weight: 12,
      arbitrary: fc.record({
        type: fc.constant('long'),
        edit,
        savepoint: fc.constantFrom('none', 'none', 'set', 'roll back'),
      }),
    },
    {
      weight: 4,
      arbitrary: fc.record({
        type: fc.constant('end'),
        server,
        how: fc.constantFrom('commit', 'commit', 'rollback'),
      }),
    },
    {
      weight: 22,
      arbitrary: fc.record({
        type: fc.constant('sync'),
        clone,
        how: fc.oneof(
          { weight: 3, arbitrary: fc.constant('cli') },
          { weight: 4, arbitrary: fc.constantFrom(...transports, ...mixedTransports, ...partialTransports) },
        ),
        edit,
        whenBlocked: fc.constantFrom('commit', 'rollback', 'terminate'),
        fault: fc.oneof({ weight: 2, arbitrary: fc.constant(null) }, { weight: 1, arbitrary: fault }),
      }),
    },
    {
      weight: 4,
      arbitrary: fc.record({ type: fc.constant('all sync at once'), edits: fc.array(edit, { maxLength: 8 }) }),
    },
    { weight: 2, arbitrary: fc.record({ type: fc.constant('prune') }) },
  );
  return fc.record({
    clocks: fc.oneof(
      fc.constant(Array(cloneCount).fill(0)),
      fc.array(fc.constantFrom(0, -30, 40), { minLength: cloneCount, maxLength: cloneCount }),
    ),
    commands: fc.array(command, { minLength: 1, maxLength: maxCommands, size: 'max' }),
  });
}

/**
 * Lets a history happen, brings all servers to rest, and compares what they have with what was done to them.
 * @param statistics is added to
 * @throws Error that says what is wrong
 */
export async function runHistory(world: ModelWorld, history: History, statistics: Statistics): Promise<void> {
  const start = await world.reset();
  const run = new HistoryRun(world, start, history, statistics);
  try {
    for (const command of history.commands) await run.execute(command);
    await run.finish();
  } catch (error) {
    await run.writeTrace(error);
    throw error;
  } finally {
    await run.close();
  }
}

/** The user's transaction was refused by the server, as it may: a constraint, or somebody else's lock. */
const refusals = new Set(['23505', '23503', '23514', '23001', '55P03', '40001', '40P01']);
/** What a sync may end with when the test has stopped it. */
const interruptions = /57P01|57014|08\w{3}|terminat|cancel|connection|abort|interrupted/i;
/** How long a sync may take, in milliseconds; far more than any needs. */
const syncLimit = 30_000;
const minute = 60_000;
/** Where to write how the last failure came about. */
const traceFile = process.env.LIZSYNC_MODEL_TRACE;

class HistoryRun {
  readonly #world: ModelWorld;
  readonly #start: State;
  readonly #clocks: number[];
  readonly #statistics: Statistics;
  readonly #ledger = new Ledger();
  readonly #long = new Map<ModelServer, UserTransaction>();
  /** Edits are a minute apart and lie in the past, so that neither ties nor measured offsets decide anything. */
  readonly #epoch = Date.now() - 3 * 24 * 60 * minute;
  #edits = 0;
  /** The session that synchronises edits something before: that must not wait for a long transaction and then go on. */
  #isEditing = false;
  #traced: State[] = [];
  readonly #traceLines: string[] = [];

  constructor(world: ModelWorld, start: State, history: History, statistics: Statistics) {
    this.#world = world;
    this.#start = start;
    this.#clocks = [0, ...history.clocks];
    this.#statistics = statistics;
  }

  async execute(command: Command): Promise<void> {
    this.#count('commands');
    switch (command.type) {
      case 'edit':
        await this.#edit(command.edit);
        break;
      case 'transaction':
        await this.#transact(command.edits, command.undoFrom, command.end);
        break;
      case 'long':
        await this.#editLater(command.edit, command.savepoint);
        break;
      case 'end':
        await this.#end(this.#world.server(command.server), command.how);
        break;
      case 'sync':
        await this.#sync(command);
        break;
      case 'all sync at once':
        await this.#syncAll(command.edits);
        break;
      case 'prune':
        await this.#prune();
        break;
    }
    await this.#trace(JSON.stringify(command));
    await this.#checkOrphans();
  }

  /** Ends what is open, synchronises until nothing moves, and checks everything. */
  async finish(): Promise<void> {
    for (const server of this.#world.servers) await this.#end(server, 'commit');
    await this.#trace('end of open transactions');
    await this.#comeToRest();
    await this.#checkOrphans();

    const [ofCentral, ...ofClones] = await this.#world.readStates();
    for (const [index, ofClone] of ofClones.entries()) {
      const differences = findEffects(ofCentral as State, ofClone);
      if (differences.length > 0) {
        throw new Error(
          `Central and clone${index + 1} differ after everybody has synchronised:\n${differences
            .map((difference) => JSON.stringify(difference))
            .join('\n')}`,
        );
      }
    }
    const conflicts = await this.#world.readConflicts();
    for (const { kind } of conflicts) this.#count(`conflicts: ${kind}`);
    this.#count('conflicts', conflicts.length);
    for (const kind of ['insert', 'update', 'delete'] as const) {
      this.#count(`rows: ${kind}`, this.#ledger.count(kind));
    }
    const clocksAgree = this.#clocks.every((clock) => clock === 0);
    const problems = this.#ledger.check(this.#start, ofCentral as State, conflicts, clocksAgree);
    if (problems.length > 0) throw new Error([...problems, ...conflicts.map((c) => JSON.stringify(c))].join('\n'));
    this.#count('histories');
  }

  async close(): Promise<void> {
    for (const transaction of this.#long.values()) await transaction.rollback().catch(() => {});
    this.#long.clear();
  }

  // ---- what users do ----

  async #edit(edit: Edit, isolation?: string, session = 'main'): Promise<void> {
    const server = this.#world.server(edit.server);
    const transaction = await this.#begin(server, session, isolation);
    if (await transaction.edit(edit)) await this.#commit(transaction);
    else await transaction.rollback();
  }

  async #transact(edits: Edit[], undoFrom: number, end: 'commit' | 'rollback'): Promise<void> {
    const [first] = edits;
    if (!first) return;
    const transaction = await this.#begin(this.#world.server(first.server), 'main');
    for (const [index, edit] of edits.entries()) {
      if (index === undoFrom) await transaction.setSavepoint();
      await transaction.edit(edit);
    }
    if (undoFrom < edits.length) {
      await transaction.rollBackToSavepoint();
      this.#count('savepoints rolled back');
    }
    if (end === 'commit') await this.#commit(transaction);
    else await transaction.rollback();
  }

  async #editLater(edit: Edit, savepoint: 'none' | 'set' | 'roll back'): Promise<void> {
    const server = this.#world.server(edit.server);
    const transaction = this.#long.get(server) ?? (await this.#begin(server, 'long'));
    this.#long.set(server, transaction);
    if (savepoint === 'set') await transaction.setSavepoint();
    await transaction.edit(edit);
    if (savepoint === 'roll back' && (await transaction.rollBackToSavepoint())) this.#count('savepoints rolled back');
  }

  async #end(server: ModelServer, how: 'commit' | 'rollback'): Promise<void> {
    const transaction = this.#long.get(server);
    if (!transaction) return;
    this.#long.delete(server);
    if (how === 'commit') await this.#commit(transaction);
    else await transaction.rollback();
    this.#count(`long transactions: ${how}`);
  }

  async #begin(server: ModelServer, session: string, isolation = 'read committed'): Promise<UserTransaction> {
    const client = await server.session(session);
    await client.query(`begin isolation level ${isolation}`);
    const number = this.#world.servers.indexOf(server);
    return new UserTransaction(client, number, () => {
      this.#edits += 1;
      const stamp = this.#edits + (this.#clocks[number] ?? 0);
      return { fresh: `v${this.#edits}`, stamp, changedAt: new Date(this.#epoch + stamp * minute).toISOString() };
    });
  }

  async #commit(transaction: UserTransaction): Promise<void> {
    await transaction.commit();
    this.#ledger.add(transaction.entries);
  }

  // ---- synchronisation ----

  async #sync(command: Extract<Command, { type: 'sync' }>): Promise<void> {
    const { how, whenBlocked, fault, edit } = command;
    const clone = this.#world.server(command.clone);
    const abort = new AbortController();
    // an edit of the session that synchronises is one of this clone
    const ownEdit = { ...edit, server: this.#world.servers.indexOf(clone) };
    const start = () => this.#synchronize(clone, how, ownEdit, abort.signal);
    this.#count(`syncs: ${how}`);
    if (!fault) {
      await this.#watch(start(), whenBlocked, true);
      return;
    }

    const where = fault.where === 'central' ? this.#world.central : clone;
    const locker = await where.session('locker');
    await locker.query('begin');
    try {
      await locker.query(`lock table ${fault.table} in ${fault.readsToo ? 'access exclusive' : 'exclusive'} mode`);
    } catch (error) {
      await locker.query('rollback');
      if ((error as { code?: string }).code !== '55P03') throw error;
      await this.#watch(start(), whenBlocked, true);
      return;
    }
    const sync = settle(start());
    let interrupted = false;
    try {
      for (;;) {
        const blocked = await this.#findBlocked(where, [processId(locker)]);
        const [pid] = blocked;
        if (pid !== undefined) {
          interrupted = fault.outcome !== 'go on';
          this.#count('faults');
          this.#count(`faults: ${fault.outcome}`);
          for (const meanwhile of fault.edits) {
            await this.#edit(meanwhile, 'repeatable read');
            this.#count('edits during a sync');
          }
          if (fault.outcome === 'terminate') await where.query('select pg_terminate_backend($1)', [pid]);
          if (fault.outcome === 'cancel') await where.query('select pg_cancel_backend($1)', [pid]);
          if (fault.outcome === 'abort') abort.abort(new Error('stopped by the test'));
          break;
        }
        if (sync.isSettled) break;
        if ((await this.#resolveBlocks(whenBlocked)) && whenBlocked === 'terminate') interrupted = true;
        await Promise.race([sync.promise.catch(() => {}), tick(5)]);
      }
    } finally {
      await locker.query('rollback').catch(() => {});
    }
    await this.#watch(sync.promise, whenBlocked, !interrupted);
  }

  async #syncAll(edits: Edit[]): Promise<void> {
    this.#count('all synchronised at once');
    const all = Promise.all(this.#world.clones.map((clone) => this.#synchronize(clone, 'cli')));
    const syncing = this.#watch(all, 'commit', true);
    syncing.catch(() => {});
    for (const edit of edits) {
      // one that waits would see, when it goes on, what others have committed meanwhile, and truncate removes even that
      const action = edit.action === 'truncate' ? 'delete all rows' : edit.action;
      await this.#edit({ ...edit, action }, 'repeatable read', 'meanwhile');
      this.#count('edits during a sync');
    }
    await syncing;
  }

  async #prune(): Promise<void> {
    // everything that no clone needs, however young
    const { removed } = await prune({ central: toSettings(this.#world.central.database.url), keepHours: 0 });
    this.#count('events pruned', removed);
  }

  async #synchronize(
    clone: ModelServer,
    how: Extract<Command, { type: 'sync' }>['how'],
    edit?: Edit,
    signal?: AbortSignal,
  ): Promise<void> {
    const tables = how.endsWith('one table') && edit ? [{ schema: 'test', table: edit.table }] : undefined;
    if (how === 'cli' || how === 'cli by the clone' || how === 'cli, one table') {
      await synchronize({
        central: toSettings(this.#world.central.database.url),
        clone: toSettings(clone.database.url),
        viaClone: how === 'cli by the clone',
        tables,
        signal,
      });
      return;
    }
    const client = await clone.session('caller');
    if (how === 'sql' || how === 'sql, one table') {
      await client.query('select * from lizsync.synchronize($1)', [tables?.map(({ table }) => `test.${table}`)]);
      return;
    }
    const transaction = await this.#begin(clone, 'caller');
    // an edit that waits would see, when it goes on, what others have committed meanwhile
    const editAtOnce = async (own: Edit): Promise<void> => {
      await client.query("set local lock_timeout = '100ms'");
      this.#isEditing = true;
      try {
        await transaction.edit(own);
      } finally {
        this.#isEditing = false;
      }
      await client.query("set local lock_timeout = '60s'");
    };
    try {
      if (edit && (how === 'sql after an edit, rolled back' || how === 'sql after an edit, committed')) {
        await editAtOnce(edit);
      }
      if (how === 'sql in a savepoint, rolled back') {
        await client.query('savepoint before_sync; select * from lizsync.synchronize(); rollback to before_sync');
        if (edit) await editAtOnce(edit);
      } else {
        await client.query('select * from lizsync.synchronize()');
      }
    } catch (error) {
      await transaction.rollback().catch(() => {});
      throw error;
    }
    if (how === 'sql, rolled back' || how === 'sql after an edit, rolled back') await transaction.rollback();
    else await this.#commit(transaction);
  }

  /** Waits for a sync, and ends the long transactions that it waits for, or the sync. */
  async #watch(
    sync: Promise<unknown>,
    whenBlocked: 'commit' | 'rollback' | 'terminate',
    mustSucceed: boolean,
  ): Promise<void> {
    const settled = settle(sync);
    const deadline = Date.now() + syncLimit;
    let interrupted = !mustSucceed;
    while (!settled.isSettled) {
      if (this.#long.size > 0 && (await this.#resolveBlocks(whenBlocked)) && whenBlocked === 'terminate') {
        interrupted = true;
      }
      if (Date.now() > deadline) {
        const sessions = await this.#world.findForeignSessions();
        for (const { pid, server } of sessions) await server.query('select pg_terminate_backend($1)', [pid]);
        for (const clone of this.#world.clones) {
          const caller = processId(await clone.session('caller'));
          await clone.query('select pg_terminate_backend($1)', [caller]);
        }
        await settled.promise.catch(() => {});
        throw new Error(`A sync did not end: ${JSON.stringify(sessions.map(({ server: _, ...rest }) => rest))}`);
      }
      await Promise.race([settled.promise.catch(() => {}), tick(this.#long.size > 0 ? 10 : 1000)]);
    }
    try {
      await settled.promise;
    } catch (error) {
      if (!interrupted || !interruptions.test(describeError(error))) throw error;
      this.#count('syncs that were interrupted');
      await this.#world.waitForQuiet(() => this.#resolveBlocks(whenBlocked));
    }
  }

  /** @returns whether a sync had to wait for a long transaction */
  async #resolveBlocks(whenBlocked: 'commit' | 'rollback' | 'terminate'): Promise<boolean> {
    if (this.#isEditing) return false;
    let found = false;
    for (const [server, transaction] of [...this.#long]) {
      const blocked = await this.#findBlocked(server, [transaction.pid]);
      if (blocked.length === 0) continue;
      found = true;
      this.#count(`syncs that waited for a transaction: ${whenBlocked}`);
      if (whenBlocked === 'terminate') {
        for (const pid of blocked) await server.query('select pg_terminate_backend($1)', [pid]);
      } else {
        await this.#end(server, whenBlocked);
      }
    }
    return found;
  }

  async #findBlocked(server: ModelServer, by: number[]): Promise<number[]> {
    const rows = await server.query<{ pid: number }>(
      `select pid from pg_stat_activity
       where datname = current_database() and wait_event_type = 'Lock' and pg_blocking_pids(pid) && $1::integer[]`,
      [by],
    );
    return rows.map(({ pid }) => pid);
  }

  // ---- rest ----

  async #comeToRest(): Promise<void> {
    let rounds = 0;
    for (let freed = 0; ; ) {
      const before = await this.#world.readLogs();
      for (const [index, clone] of this.#world.clones.entries()) {
        await this.#watch(this.#synchronize(clone, (rounds + index) % 2 === 0 ? 'cli' : 'sql'), 'commit', true);
      }
      rounds += 1;
      await this.#trace(`round ${rounds}`);
      const after = await this.#world.readLogs();
      const held = await this.#world.readHeld();
      const isHeld = held.some((ofServer) => ofServer.length > 0);
      // trying held changes again takes numbers for events, but logs none
      const isAtRest = after.every(({ lastNumber, lastLogged, conflicts }, server) => {
        const was = before[server];
        return (
          was && (isHeld ? lastLogged <= was.lastNumber : lastNumber === was.lastNumber) && conflicts === was.conflicts
        );
      });
      if (isAtRest) {
        this.#count(`rounds until rest: ${rounds}`);
        if (!isHeld) return;
        if (freed === 12) throw new Error(`Held for ever: ${JSON.stringify(held)}`);
        freed += 1;
        rounds = 0;
        await this.#freeHeld(held);
      }
      if (rounds > 5) throw new Error(`The servers don't come to rest; held: ${JSON.stringify(held)}`);
    }
  }

  /** Gives the rows that are in the way values which nobody else has. */
  async #freeHeld(held: { table: string }[][]): Promise<void> {
    for (const [index, ofServer] of held.entries()) {
      if (ofServer.length === 0) continue;
      this.#count('held', ofServer.length);
      const transaction = await this.#begin(this.#world.server(index), 'main');
      await transaction.run((fresh) => [
        `update test.coded set code = '${fresh}' || id`,
        `update test.place set code = '${fresh}' || left(uid::text, 4)`,
        'delete from test.label',
        `update test.kind set code = '${fresh}' || left(uid::text, 4)`,
        `update test.span set low = -1000, high = 1000`,
      ]);
      await this.#commit(transaction);
    }
  }

  async #checkOrphans(): Promise<void> {
    const orphans = await this.#world.findOrphans([...this.#long.keys()]);
    if (orphans.length > 0) throw new Error(`Orphans:\n${orphans.join('\n')}`);
  }

  /** Notes what has changed on the servers since the last call, for who wants to know how a failure came about. */
  async #trace(title: string): Promise<void> {
    if (!traceFile) return;
    const states = await this.#world.readStates().catch((error) => {
      // a long transaction has locked a table
      if (error.code !== '55P03') throw error;
      return null;
    });
    if (!states) {
      this.#traceLines.push(title, '  ?');
      return;
    }
    const lines = states.flatMap((state, index) =>
      findEffects(this.#traced[index] ?? this.#start, state).map((effect) => `  ${index}: ${JSON.stringify(effect)}`),
    );
    const held = await this.#world.readHeld();
    this.#traceLines.push(title, ...lines, `  held: ${JSON.stringify(held)}`);
    this.#traced = states;
  }

  /** Writes what was noted, and what the servers have logged. */
  async writeTrace(error: unknown): Promise<void> {
    if (!traceFile) return;
    const logs = await this.#world.readWholeLogs();
    await writeFile(traceFile, [...this.#traceLines, ...logs, String(error)].join('\n'));
  }

  #count(what: string, howMany = 1): void {
    this.#statistics[what] = (this.#statistics[what] ?? 0) + howMany;
  }
}

interface EditMark {
  fresh: string;
  stamp: number;
  changedAt: string;
}

/** A transaction of a user, with what it did so far. */
class UserTransaction {
  readonly #client: pg.Client;
  readonly #server: number;
  readonly #next: () => EditMark;
  readonly #savepoints: number[] = [];
  entries: Entry[] = [];

  /** @param client has begun it */
  constructor(client: pg.Client, server: number, next: () => EditMark) {
    this.#client = client;
    this.#server = server;
    this.#next = next;
  }

  get pid(): number {
    return processId(this.#client);
  }

  /** @returns false when the server refused the edit; nothing of it remains then */
  async edit(edit: Edit): Promise<boolean> {
    try {
      await this.run((fresh) => toStatements(edit, fresh));
      return true;
    } catch (error) {
      if (!refusals.has((error as { code?: string }).code ?? '')) throw error;
      await this.#client.query('rollback to edit; release edit');
      return false;
    }
  }

  /** Runs statements as one edit and notes what they did. Its events get the time that the history gives them. */
  async run(toSql: (fresh: string) => string[]): Promise<void> {
    const { fresh, stamp, changedAt } = this.#next();
    const statements = toSql(fresh);
    const results = (await this.#client.query(
      [
        'savepoint edit',
        stateSql,
        ...statements,
        stateSql,
        `update audit.logged_actions set changed_at = '${changedAt}'
         where transaction_id = pg_current_xact_id() and received_from is null and corrected_at is null
           and changed_at > clock_timestamp() - interval '1 day'`,
        'release edit',
      ].join(';\n'),
    )) as unknown as pg.QueryResult<{ state: State }>[];
    const before = results[1]?.rows[0]?.state;
    const after = results[2 + statements.length]?.rows[0]?.state;
    if (!before || !after) throw new Error('the state was not read');
    this.entries.push({ server: this.#server, stamp, effects: findEffects(before, after) });
  }

  async setSavepoint(): Promise<void> {
    await this.#client.query('savepoint users');
    this.#savepoints.push(this.entries.length);
  }

  /** @returns false when there is no savepoint */
  async rollBackToSavepoint(): Promise<boolean> {
    const length = this.#savepoints.pop();
    if (length === undefined) return false;
    await this.#client.query('rollback to users; release users');
    this.entries.length = length;
    return true;
  }

  async commit(): Promise<void> {
    await this.#client.query('commit');
  }

  async rollback(): Promise<void> {
    await this.#client.query('rollback');
  }
}

function settle<T>(promise: Promise<T>): { promise: Promise<T>; isSettled: boolean } {
  const state = { promise, isSettled: false };
  const note = (): void => {
    state.isSettled = true;
  };
  promise.then(note, note);
  return state;
}

function processId(client: pg.Client): number {
  return (client as unknown as { processID: number }).processID;
}

function describeError(error: unknown): string {
  const { code, sqlstate } = error as { code?: string; sqlstate?: string };
  const details = error instanceof LizsyncError ? error.details.join(' ') : '';
  return `${code ?? sqlstate ?? ''} ${error instanceof Error ? error.message : String(error)} ${details}`;
}
