import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { chownSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll } from 'vitest';
import { findServerUser } from '../../scripts/postgres-process.js';
import type { TestDatabase } from './database.js';

/** A pgbouncer in transaction mode in front of each server that has one of some databases. */
export interface Pgbouncer {
  /** Where a database is reached through it. */
  urlOf(database: TestDatabase): string;
}

const running = new Set<() => Promise<void>>();

afterAll(async () => {
  for (const stop of running) await stop();
  running.clear();
});

/** The program, or undefined where the machine has none. */
export function findPgbouncer(): string | undefined {
  const folders = [...(process.env.PATH ?? '').split(path.delimiter), '/usr/sbin', '/usr/local/sbin'];
  return folders.map((folder) => path.join(folder, 'pgbouncer')).find((file) => existsSync(file));
}

/**
 * Starts a pgbouncer in front of databases; it ends when all tests of the file have ended.
 * @param databases those that can be reached through it
 * @param poolSize how many sessions it opens in each
 */
export async function startPgbouncer(databases: TestDatabase[], poolSize: number): Promise<Pgbouncer> {
  const ports = new Map<number, number>();
  for (const { server } of databases) {
    if (ports.has(server.port)) continue;
    // users of two servers can have one name and two passwords
    const ofServer = databases.filter((database) => database.server.port === server.port);
    ports.set(server.port, await startProcess(ofServer, poolSize));
  }
  return {
    urlOf: ({ url, server }) => {
      const address = new URL(url);
      address.host = `127.0.0.1:${ports.get(server.port)}`;
      return address.href;
    },
  };
}

/** @returns the port */
async function startProcess(databases: TestDatabase[], poolSize: number): Promise<number> {
  const program = findPgbouncer();
  if (program === undefined) throw new Error('the machine has no pgbouncer');
  const folder = mkdtempSync(path.join(tmpdir(), 'lizsync-pgbouncer-'));
  const port = await findFreePort();
  const users = new Map(databases.map(({ url }) => [new URL(url).username, new URL(url).password]));
  const quote = (text: string): string => `"${decodeURIComponent(text).replaceAll('"', '""')}"`;
  const files = {
    'users.txt': [...users].map(([name, password]) => `${quote(name)} ${quote(password)}\n`).join(''),
    'pgbouncer.ini': [
      '[databases]',
      ...databases.map(({ name, server }) => `${name} = host=${server.host} port=${server.port} dbname=${name}`),
      '[pgbouncer]',
      'listen_addr = 127.0.0.1',
      `listen_port = ${port}`,
      'unix_socket_dir =',
      'auth_type = scram-sha-256',
      `auth_file = ${path.join(folder, 'users.txt')}`,
      'pool_mode = transaction',
      `default_pool_size = ${poolSize}`,
      'max_client_conn = 200',
      'ignore_startup_parameters = options,extra_float_digits',
      `logfile = ${path.join(folder, 'log')}`,
    ].join('\n'),
  };
  const user = findServerUser();
  for (const [name, text] of Object.entries(files)) writeFileSync(path.join(folder, name), text, { mode: 0o600 });
  if (user) for (const name of ['.', ...Object.keys(files)]) chownSync(path.join(folder, name), user.uid, user.gid);
  // it refuses to run as root
  const child = spawn(program, [path.join(folder, 'pgbouncer.ini')], {
    stdio: 'ignore',
    ...(user ? { uid: user.uid, gid: user.gid } : {}),
  });
  const ended = new Promise<void>((resolve) => {
    child.once('close', () => resolve());
    child.once('error', () => resolve());
  });
  running.add(async () => {
    child.kill('SIGKILL');
    await ended;
    rmSync(folder, { recursive: true, force: true });
  });
  await waitUntilReached(child, port, () => {
    const log = path.join(folder, 'log');
    return existsSync(log) ? readFileSync(log, 'utf8') : spawnSync(program, ['--version']).stdout.toString();
  });
  return port;
}

async function findFreePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function waitUntilReached(child: ChildProcess, port: number, explain: () => string): Promise<void> {
  const giveUpAt = performance.now() + 20_000;
  for (;;) {
    const reached = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1');
      socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
      socket.once('close', () => {});
      socket.once('connect', () => socket.destroy());
    });
    if (reached) return;
    if (child.exitCode !== null || performance.now() > giveUpAt)
      throw new Error(`pgbouncer did not start: ${explain()}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
