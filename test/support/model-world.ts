import type pg from 'pg';
import type { TestDatabase } from './database.js';
import { type LinkedDatabases, linkDatabases } from './link.js';
import type { Conflict } from './model-ledger.js';
import { orphansSql, type State, stateSql, tablesSql, toInitialRows } from './model-tables.js';

/** One database of the model test, with its sessions. */
export class ModelServer {
  readonly name: string;
  readonly database: TestDatabase;
  readonly #sessions = new Map<string, pg.Client>();

  constructor(name: string, database: TestDatabase) {
    this.name = name;
    this.database = database;
  }

  /** A session that is kept under a name; opened again when the server has ended it. */
  async session(name: string): Promise<pg.Client> {
    const known = this.#sessions.get(name);
    if (known) return known;
    const client = await this.database.connect({
      options: '-c statement_timeout=60s -c lock_timeout=100ms -c timezone=UTC',
      application_name: `model ${name}`,
    });
    // a sync reports held changes as a warning
    client.on('notice', () => {});
    client.on('end', () => this.#sessions.delete(name));
    this.#sessions.set(name, client);
    if (name === 'caller') await client.query("set statement_timeout = 0; set lock_timeout = '60s'");
    return client;
  }

  async query<Row extends pg.QueryResultRow>(sql: string, values: unknown[] = []): Promise<Row[]> {
    return (await (await this.session('main')).query<Row>(sql, values)).rows;
  }

  /** Process ids of the sessions that are open. */
  get pids(): number[] {
    return [...this.#sessions.values()].map((client) => (client as unknown as { processID: number }).processID);
  }
}

/** One central and some clones, used for one history after the other. */
export class ModelWorld {
  readonly linked: LinkedDatabases;
  /** The central first. */
  readonly servers: ModelServer[];

  private constructor(linked: LinkedDatabases) {
    this.linked = linked;
    this.servers = [linked.central, ...linked.clones].map(
      (database, number) => new ModelServer(number === 0 ? 'central' : `clone${number}`, database),
    );
  }

  static async create(cloneCount: number): Promise<ModelWorld> {
    const linked = await linkDatabases(tablesSql, { cloneCount });
    // the first sync makes the link at the central
    for (const clone of linked.clones) await linked.sync(clone);
    // deliveries of histories are small, and half of them travel like large ones nevertheless
    for (const database of [linked.central, ...linked.clones]) {
      await database.query(`
        create or replace function lizsync.has_many_events(p_position pg_snapshot) returns boolean
        language sql set search_path = pg_catalog, pg_temp as 'select random() < 0.5'`);
    }
    return new ModelWorld(linked);
  }

  get central(): ModelServer {
    return this.server(0);
  }

  get clones(): ModelServer[] {
    return this.servers.slice(1);
  }

  /** @param number 0: the central; more than there are clones: one of them */
  server(number: number): ModelServer {
    const index = number === 0 ? 0 : 1 + ((number - 1) % (this.servers.length - 1));
    return this.servers[index] as ModelServer;
  }

  /** Makes the same rows on all servers, empty logs, and links as they were after deploying; returns what there is then. */
  async reset(): Promise<State> {
    await this.waitForQuiet();
    await this.#onEach(async (server) => {
      await server.query(`
        begin;
        set local lock_timeout = '20s';
        
        delete from lizsync.held_change_parts;
        set local session_replication_role = replica;
        ${toInitialRows()};
        delete from audit.logged_actions;
        delete from audit.logged_statements;
        delete from lizsync.staged_changes;
        delete from lizsync.stages;
        delete from lizsync.held_changes;
        delete from lizsync.conflicts;
        delete from lizsync.history;
        commit`);
    });
    const snapshots = await this.#onEach(async (server) => {
      const [row] = await server.query<{ snapshot: string; server_id: string }>(
        'select pg_current_snapshot()::text as snapshot, lizsync.server_id()::text as server_id',
      );
      return row as { snapshot: string; server_id: string };
    });
    const setPosition = (server: ModelServer, peer: { snapshot: string; server_id: string }) =>
      server.query(
        `update lizsync.links set position = $1, peer_position = null, last_sync_id = null, pending_sync_id = null,
         last_sync_transaction_id = null where peer_id = $2`,
        [peer.snapshot, peer.server_id],
      );
    const [ofCentral, ...ofClones] = snapshots;
    for (const [index, clone] of this.clones.entries()) {
      await setPosition(clone, ofCentral as (typeof snapshots)[number]);
      await setPosition(this.central, ofClones[index] as (typeof snapshots)[number]);
    }
    const [state] = await this.readStates();
    return state as State;
  }

  /** What is in the tables of each server. */
  readStates(): Promise<State[]> {
    return this.#onEach(async (server) => {
      const [row] = await server.query<{ state: State }>(stateSql);
      return (row as { state: State }).state;
    });
  }

  /**
   * Rows whose foreign key refers to nothing, in words.
   * @param locked servers where somebody may have locked a table, which are left out then
   */
  async findOrphans(locked: ModelServer[] = []): Promise<string[]> {
    const found = await this.#onEach(async (server) => {
      const rows = await server.query<{ child: string; key: string }>(orphansSql).catch((error) => {
        if (error.code !== '55P03' || !locked.includes(server)) throw error;
        return [];
      });
      return rows.map(({ child, key }) => `${server.name}: a row of ${child} refers to ${key}, which is not there`);
    });
    return found.flat();
  }

  /** Of each server: the last number given to an event, the last event that it has, and how many conflicts. */
  readLogs(): Promise<{ lastNumber: number; lastLogged: number; conflicts: number }[]> {
    return this.#onEach(async (server) => {
      const [row] = await server.query<{ lastNumber: number; lastLogged: number; conflicts: number }>(`
        select
          (select last_value::integer from audit.event_id_sequence) as "lastNumber",
          (select coalesce(max(event_id), 0)::integer from audit.logged_actions) as "lastLogged",
          (select count(*)::integer from lizsync.conflicts) as conflicts`);
      return row as { lastNumber: number; lastLogged: number; conflicts: number };
    });
  }

  /** The events and conflicts of all servers, one a line, for people. */
  async readWholeLogs(): Promise<string[]> {
    const found = await this.#onEach(async (server) => {
      const events = await server.query(`
        select a.event_id, a.transaction_id::text as xid, r.table_name, a.uid, a.action, a.changed_at, a.corrected_at,
          a.origin_server_id as origin, a.received_from, a.old_values::text, a.new_values::text
        from audit.logged_actions as a join audit.logged_relations as r using (relation_id) order by a.event_id`);
      const conflicts = await server.query('select c.* from lizsync.conflicts as c order by c.conflict_id');
      const links = await server.query('select l.* from lizsync.links as l');
      return [`log of ${server.name}`, ...[...events, ...conflicts, ...links].map((row) => JSON.stringify(row))];
    });
    return found.flat();
  }

  /** Tables that hold changes, of each server. */
  readHeld(): Promise<{ table: string; uid: string; sqlstate: string; message: string }[][]> {
    return this.#onEach((server) =>
      server.query(
        `select table_name as table, uid::text, sqlstate, message from lizsync.held_changes order by held_id`,
      ),
    );
  }

  async readConflicts(): Promise<Conflict[]> {
    const found = await this.#onEach((server) =>
      server.query<Conflict & pg.QueryResultRow>(`
        select table_name as table, uid::text, kind, coalesce(public.hstore_to_json(losing_values), '{}') as "losingValues"
        from lizsync.conflicts`),
    );
    return found.flat();
  }

  /**
   * Waits until nothing runs in the databases but the sessions of the test: a sync that was given up may go on.
   * @param whileBusy called again and again until then
   */
  async waitForQuiet(whileBusy: () => Promise<unknown> = async () => {}): Promise<void> {
    const deadline = Date.now() + 30_000;
    for (;;) {
      const busy = await this.findForeignSessions();
      if (busy.length === 0) return;
      await whileBusy();
      if (Date.now() > deadline) {
        throw new Error(`Sessions that don't end: ${JSON.stringify(busy.map(({ server: _, ...rest }) => rest))}`);
      }
    }
  }

  /** Sessions of syncs that are open: all that are not the test's own. */
  async findForeignSessions(): Promise<{ pid: number; database: string; query: string; server: ModelServer }[]> {
    const found = await Promise.all(
      this.servers.map(async (server) => {
        const rows = await server.query<{ pid: number; query: string }>(
          `select pid, concat_ws(' ', state, wait_event_type, wait_event, left(query, 200)) as query from pg_stat_activity
           where datname = current_database() and pid <> all ($1) and backend_type = 'client backend'`,
          [server.pids],
        );
        return rows.map((row) => ({ ...row, database: server.name, server }));
      }),
    );
    return found.flat();
  }

  async drop(): Promise<void> {
    for (const { database } of this.servers) await database.drop();
  }

  #onEach<Result>(work: (server: ModelServer) => Promise<Result>): Promise<Result[]> {
    return Promise.all(this.servers.map(work));
  }
}
