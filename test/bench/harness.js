// What all benchmarks share: servers and databases, the program as a process of its own, repeats that take turns.
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { from as copyFrom, to as copyTo } from 'pg-copy-streams';
import { createPostgres, removePostgres } from '../../scripts/postgres-process.js';

const program = fileURLToPath(new URL('../../bin/lizsync.js', import.meta.url));

/** @typedef {import('../../scripts/postgres-process.js').PostgresProcess} PostgresProcess */

/**
 * @typedef {object} Database
 * @property {string} url connection as superuser
 * @property {PostgresProcess} server
 * @property {pg.Client} client one session, always open
 */

/**
 * @typedef {object} Line One line of the table of results.
 * @property {string} what
 * @property {string} measured with its unit
 * @property {string} limit what it is compared with, with its unit; '' without
 * @property {number | null} ratio measured by limit, where there is one
 * @property {string} target
 * @property {boolean} reached
 */

/**
 * @typedef {object} Benchmark
 * @property {string} name for the command line
 * @property {(bench: Bench) => Promise<Line[]>} run throws when the databases are unequal at its end
 */

/** The servers of a run, and how much of everything there is. */
export class Bench {
  /** @type {PostgresProcess[]} */
  #servers = [];
  /** @type {Database[]} */
  #databases = [];
  #folder = fs.mkdtempSync(path.join(os.tmpdir(), 'lizsync-bench-'));

  /**
   * @param {{ kind: 'embedded' | 'local', scale: number, repeats: number }} options scale: 1 is the reference workload
   */
  constructor({ kind, scale, repeats }) {
    this.kind = kind;
    this.scale = scale;
    this.repeats = repeats;
  }

  /** A part of the reference workload. @param {number} count */
  scaled(count) {
    return Math.max(1, Math.round(count * this.scale));
  }

  /** @param {string} name */
  file(name) {
    return path.join(this.#folder, name);
  }

  /** Starts the two servers: one for centrals, one for clones. */
  async start() {
    for (let count = 0; count < 2; count += 1) await this.startServer();
  }

  /**
   * Starts a server for one benchmark, which stops it.
   * @param {Record<string, string>} [settings] beside the usual ones
   */
  async startServer(settings = {}) {
    const server = await createPostgres(this.kind, {
      settings: {
        fsync: 'on',
        full_page_writes: 'on',
        // for the comparison with logical replication
        wal_level: 'logical',
        wal_retrieve_retry_interval: '100ms',
        shared_buffers: '512MB',
        max_wal_size: '4GB',
        max_connections: '300',
        ...settings,
      },
    });
    this.#servers.push(server);
    return server;
  }

  /** Stops a server with all its databases. @param {PostgresProcess} server */
  async stopServer(server) {
    for (const { client } of this.#databases.filter((database) => database.server === server)) {
      await client.end().catch(() => {});
    }
    this.#databases = this.#databases.filter((database) => database.server !== server);
    this.#servers = this.#servers.filter((other) => other !== server);
    await removePostgres(server);
  }

  async stop() {
    for (const { client } of this.#databases) await client.end().catch(() => {});
    for (const server of this.#servers) await removePostgres(server);
    fs.rmSync(this.#folder, { recursive: true, force: true });
  }

  /**
   * @param {'central' | 'clone'} role which of the two servers
   * @param {string} [template]
   * @param {PostgresProcess} [server] another one
   * @returns {Promise<Database>} a new, empty database
   */
  async createDatabase(role, template = 'template0', server = this.#server(role)) {
    const name = `${role}_${randomBytes(4).toString('hex')}`;
    await withClient(server.url, (client) =>
      client.query(`create database ${pg.escapeIdentifier(name)} template ${pg.escapeIdentifier(template)}`),
    );
    const address = new URL(server.url);
    address.pathname = `/${name}`;
    const client = new pg.Client({ connectionString: address.href });
    client.on('error', () => {});
    await client.connect();
    const database = { url: address.href, server, client };
    this.#databases.push(database);
    return database;
  }

  /** Drops what the last benchmark has left, so that the next one starts as the first did. */
  async dropDatabases() {
    for (const { url, server, client } of this.#databases.splice(0)) {
      await client.end().catch(() => {});
      const name = pg.escapeIdentifier(new URL(url).pathname.slice(1));
      await withClient(server.url, (maintenance) => maintenance.query(`drop database ${name} with (force)`));
    }
  }

  /**
   * Makes a central out of SQL and a clone of it, as users do: by the program.
   * @param {string} sql creates and fills tables in the schema bench
   * @returns {Promise<{ central: Database, clone: Database }>}
   */
  async link(sql) {
    const central = await this.createCentral(sql);
    return { central, clone: await this.deploy(central) };
  }

  /** Makes a central out of SQL. @param {string} sql creates and fills tables in the schema bench */
  async createCentral(sql) {
    const central = await this.createDatabase('central');
    await central.client.query(sql);
    await this.run(['install', '--central', central.url]);
    await this.run(['prepare-central', '--central', central.url, '--schemas', 'bench']);
    return central;
  }

  /**
   * Makes one more clone, of a new package, which `file('package.zip')` is then.
   * @param {Database} central
   * @param {string} [name]
   * @param {PostgresProcess} [server] another one than that for clones
   */
  async deploy(central, name = 'clone', server = this.#server('clone')) {
    const archive = this.file('package.zip');
    await this.run(['package', '--central', central.url, '--schemas', 'bench', '--output', archive]);
    const clone = await this.createDatabase('clone', undefined, server);
    await this.run(['deploy', archive, '--central', central.url, '--clone', clone.url, '--name', name]);
    return clone;
  }

  /**
   * Runs the program and waits for its end.
   * @param {string[]} args
   * @returns {Promise<{ milliseconds: number, json: any, maxRss: number }>} time of the whole process; most resident memory
   *   in bytes
   * @throws {Error} when it does not end with 0
   */
  async run(args) {
    // the process itself knows best how much memory it had
    const hook = `process.on('exit', () => require('node:fs').writeSync(3, String(process.resourceUsage().maxRSS)))`;
    const hookFile = this.file('report-memory.cjs');
    if (!fs.existsSync(hookFile)) fs.writeFileSync(hookFile, hook);
    const startedAt = performance.now();
    const child = spawn(process.execPath, ['--require', hookFile, program, ...args, '--json'], {
      cwd: this.#folder,
      env: { PATH: process.env.PATH, HOME: this.#folder, LANG: 'C.UTF-8' },
      stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
    });
    const texts = ['', '', '', ''];
    for (const number of [1, 2, 3]) {
      const stream = /** @type {import('node:stream').Readable} */ (child.stdio[number]);
      stream.setEncoding('utf8').on('data', (text) => {
        texts[number] += text;
      });
    }
    /** @type {number | null} */
    const code = await new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('close', resolve);
    });
    const milliseconds = performance.now() - startedAt;
    if (code !== 0) throw new Error(`lizsync ${args[0]} ended with ${code}\n${texts[1]}${texts[2]}`);
    return { milliseconds, json: JSON.parse(texts[1] ?? ''), maxRss: Number(texts[3]) * 1024 };
  }

  /** @param {{ central: Database, clone: Database }} link */
  sync({ central, clone }) {
    return this.run(['sync', '--central', central.url, '--clone', clone.url]);
  }

  /**
   * Ends a benchmark: its numbers count only when the databases are equal.
   * @param {{ central: Database, clone: Database }} link
   */
  async requireEqual({ central, clone }) {
    await this.run(['compare', '--central', central.url, '--clone', clone.url]);
  }

  /** @param {'central' | 'clone'} role @returns {PostgresProcess} */
  #server(role) {
    const server = this.#servers[role === 'central' ? 0 : 1];
    if (!server) throw new Error('the servers are not started');
    return server;
  }
}

/**
 * @template T
 * @param {string} url
 * @param {(client: pg.Client) => Promise<T>} work
 */
export async function withClient(url, work) {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

/** Wall time of some work in milliseconds. @param {() => Promise<unknown>} work */
export async function time(work) {
  const startedAt = performance.now();
  await work();
  return performance.now() - startedAt;
}

/** @param {number[]} values */
export function median(values) {
  const sorted = [...values].sort((left, right) => left - right);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? Number(sorted[middle]) : (Number(sorted[middle - 1]) + Number(sorted[middle])) / 2;
}

/**
 * @typedef {object} Taken What was measured by turns.
 * @property {(name: string) => number} median
 * @property {(name: string, limit: string) => number} ratio the median of the ratios of the turns
 */

/**
 * Measures things by turns, so that what else the machine does meets all of them.
 * @param {number} repeats
 * @param {Record<string, () => Promise<number>>} measures each returns its own number
 * @returns {Promise<Taken>}
 */
export async function takeTurns(repeats, measures) {
  /** @type {Map<string, number[]>} */
  const taken = new Map(Object.keys(measures).map((name) => [name, []]));
  for (let turn = 0; turn < repeats; turn += 1) {
    for (const [name, measure] of Object.entries(measures)) taken.get(name)?.push(await measure());
  }
  /** @param {string} name */
  const values = (name) => {
    const found = taken.get(name);
    if (!found) throw new Error(`${name} was not measured`);
    return found;
  };
  return {
    median: (name) => median(values(name)),
    ratio: (name, limit) => median(values(name).map((value, turn) => value / Number(values(limit)[turn]))),
  };
}

/**
 * A line that compares times by ratio.
 * @param {string} what
 * @param {Taken} taken
 * @param {string} name of what is measured
 * @param {string} limitTitle
 * @param {string} limit name of what it is compared with
 * @param {number} most the ratio to reach
 * @returns {Line}
 */
export function compareTimes(what, taken, name, limitTitle, limit, most) {
  const ratio = taken.ratio(name, limit);
  return {
    what,
    measured: formatTime(taken.median(name)),
    limit: `${limitTitle} ${formatTime(taken.median(limit))}`,
    ratio,
    target: `<= ${most} x`,
    reached: ratio <= most,
  };
}

/** @param {number} milliseconds */
export function formatTime(milliseconds) {
  return milliseconds < 1000 ? `${Math.round(milliseconds)} ms` : `${(milliseconds / 1000).toFixed(2)} s`;
}

/** @param {number} bytes */
export function formatBytes(bytes) {
  if (bytes < 10_000) return `${Math.round(bytes)} B`;
  return bytes < 1_000_000
    ? `${Math.round(bytes / 1000)} kB`
    : `${(bytes / 1_000_000).toFixed(bytes < 1e8 ? 1 : 0)} MB`;
}

/**
 * Carries the rows of a query from one session into a table of another, through this process.
 * @param {pg.Client} from
 * @param {string} query
 * @param {pg.Client} to
 * @param {string} target table with its columns
 */
export async function copyRows(from, query, to, target) {
  await pipeline(from.query(copyTo(`copy (${query}) to stdout`)), to.query(copyFrom(`copy ${target} from stdin`)));
}
