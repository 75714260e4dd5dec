import { type AddressInfo, createServer, type Socket } from 'node:net';
import pg from 'pg';
import { afterAll } from 'vitest';
import type { TestDatabase } from './database.js';

/** A transaction pooler before a database: whoever begins a transaction gets another of its few sessions than the last one. */
export interface Pooler {
  /** Where the database is reached through it. */
  url: string;
  /** The sessions, for a look at what is left in them. Only while nobody else uses them. */
  sessions: pg.Client[];
  /** How many transactions the sessions have done for others. */
  readonly transactions: number;
}

const openPoolers = new Set<() => Promise<void>>();

afterAll(async () => {
  for (const close of openPoolers) await close();
  openPoolers.clear();
});

const integer = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
};
const message = (type: string, ...parts: (Buffer | string)[]): Buffer => {
  const body = Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : part)));
  return Buffer.concat([Buffer.from(type), integer(body.length + 4), body]);
};

/**
 * Opens a pooler as users have them: sessions are handed from client to client at the end of each transaction, and nobody
 * cleans them. What one transaction sets for the session, or expects to find in it, meets somebody else. It closes when all
 * tests of the file have ended.
 */
export async function createPooler(database: TestDatabase, sessionCount = 2): Promise<Pooler> {
  const parameters = new Map<string, string>();
  const free: pg.Client[] = [];
  const waiting: ((session: pg.Client) => void)[] = [];
  let transactions = 0;
  for (let number = 0; number < sessionCount; number += 1) {
    const session = new pg.Client({ connectionString: database.url });
    session.on('error', () => {});
    session.connection.on('parameterStatus', ({ parameterName, parameterValue }) =>
      parameters.set(parameterName, parameterValue),
    );
    await session.connect();
    free.push(session);
  }
  const sessions = [...free];
  const take = (): Promise<pg.Client> => {
    const session = free.shift();
    return session ? Promise.resolve(session) : new Promise((resolve) => waiting.push(resolve));
  };
  const release = (session: pg.Client): void => {
    const next = waiting.shift();
    if (next) next(session);
    else free.push(session);
  };

  const clients = new Set<Socket>();
  const server = createServer((client) => {
    let received = Buffer.alloc(0);
    let hasStarted = false;
    let session: Promise<pg.Client> | undefined;
    clients.add(client);
    client.setNoDelay(true);
    client.on('error', () => {});
    client.on('close', () => clients.delete(client));

    const use = async (): Promise<pg.Client> => {
      const taken = await take();
      transactions += 1;
      const { stream } = taken.connection;
      const listeners = stream.listeners('data') as ((chunk: Buffer) => void)[];
      stream.removeAllListeners('data');
      let answered = Buffer.alloc(0);
      const onData = (chunk: Buffer): void => {
        answered = Buffer.concat([answered, chunk]);
        let end = 0;
        let isOver = false;
        while (answered.length >= end + 5 && answered.length > end + answered.readInt32BE(end + 1)) {
          const length = answered.readInt32BE(end + 1) + 1;
          // ready for the next query, and not within a transaction
          isOver = answered[end] === 0x5a && answered[end + 5] === 0x49;
          end += length;
        }
        const complete = answered.subarray(0, end);
        answered = answered.subarray(end);
        if (isOver) {
          stream.off('data', onData);
          for (const listener of listeners) stream.on('data', listener);
          session = undefined;
          release(taken);
        }
        client.write(complete);
      };
      stream.on('data', onData);
      return taken;
    };
    let order = Promise.resolve();
    const forward = (bytes: Buffer): void => {
      order = order.then(async () => {
        session ??= use();
        (await session).connection.stream.write(bytes);
      });
    };
    client.on('data', (chunk) => {
      received = Buffer.concat([received, chunk]);
      while (!hasStarted && received.length >= 8) {
        const length = received.readInt32BE(0);
        if (received.length < length) return;
        const code = received.readInt32BE(4);
        received = received.subarray(length);
        if (code === 196608) {
          hasStarted = true;
          client.write(
            Buffer.concat([
              message('R', integer(0)),
              ...[...parameters].map(([name, value]) => message('S', `${name}\0${value}\0`)),
              message('K', integer(1), integer(1)),
              message('Z', 'I'),
            ]),
          );
        } else {
          client.write('N');
        }
      }
      while (hasStarted && received.length >= 5) {
        const length = received.readInt32BE(1) + 1;
        if (received.length < length) return;
        const bytes = received.subarray(0, length);
        received = received.subarray(length);
        if (bytes[0] === 0x58) client.end();
        else forward(bytes);
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  openPoolers.add(async () => {
    for (const client of clients) client.destroy();
    server.close();
    await Promise.all(sessions.map((session) => session.end().catch(() => {})));
  });
  const url = new URL(database.url);
  url.hostname = '127.0.0.1';
  url.port = String((server.address() as AddressInfo).port);
  return {
    url: url.href,
    sessions,
    get transactions() {
      return transactions;
    },
  };
}
