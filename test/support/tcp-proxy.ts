import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { afterAll } from 'vitest';

/** A line between clients and a PostgreSQL server that fails on demand. Counts start again with each `reset`. */
export interface TcpProxy {
  port: number;
  /** Where a database is reached over this line. */
  urlOf(database: { url: string }): string;
  /** Bytes that have passed, and how often the server was asked: how often its turn came after an answer. */
  readonly passed: { toServer: number; toClient: number; turns: number };
  /** Cuts all connections once so many bytes have passed in this direction; what lies beyond does not arrive. */
  cutAfter(direction: Direction, bytes: number): void;
  /** Cuts all connections when the server answers what contains this text: it is done, but nobody hears of it. */
  dropAnswerTo(text: string): void;
  /** Stops the line, without a word, just before the server gets what contains this text. */
  stopBefore(text: string): void;
  /** Stops the line, without a word, when the server answers what contains this text. */
  stopAnswerTo(text: string): void;
  /** Resolves when the line was cut or stopped by one of the above. */
  readonly failed: Promise<void>;
  hasFailed(): boolean;
  /** Delays everything by so many milliseconds in each direction. */
  delay(direction: Direction, milliseconds: number): void;
  /** Cuts all connections now. */
  cut(): void;
  /** Forgets all orders and counts; connections that are stopped are cut. */
  reset(): void;
}

export type Direction = 'toServer' | 'toClient';

interface Orders {
  cutAfter?: { direction: Direction; bytes: number };
  watched?: { text: string; at: 'question' | 'answer'; how: 'cut' | 'stop' };
}

const openProxies = new Set<() => void>();

afterAll(() => {
  for (const close of openProxies) close();
  openProxies.clear();
});

/** Opens a line to a server; it closes when all tests of the file have ended. */
export async function createTcpProxy(target: { host: string; port: number }): Promise<TcpProxy> {
  const sockets = new Set<Socket>();
  let passed = { toServer: 0, toClient: 0, turns: 0 };
  let delays = { toServer: 0, toClient: 0 };
  let orders: Orders = {};
  let stopped = false;
  let failed = false;
  let tellFailure: () => void = () => {};
  let failure = new Promise<void>((resolve) => {
    tellFailure = resolve;
  });

  const cut = (): void => {
    for (const socket of sockets) socket.destroy();
    sockets.clear();
  };
  const fail = (how: 'cut' | 'stop'): void => {
    orders = {};
    stopped = how === 'stop';
    if (how === 'cut') cut();
    failed = true;
    tellFailure();
  };

  const server = createServer((client) => {
    const upstream = connect(target.port, target.host);
    let last: Direction = 'toClient';
    let wasAsked = false;
    // the words that are looked for may lie in two chunks
    let heard = '';

    const pass = (direction: Direction, chunk: Buffer, to: Socket): void => {
      if (stopped) return;
      if (direction === 'toServer' && last === 'toClient') passed.turns += 1;
      last = direction;
      const { cutAfter, watched } = orders;
      if (watched && direction === 'toServer') {
        heard = heard.slice(-watched.text.length) + chunk.toString('latin1');
        if (heard.includes(watched.text)) {
          if (watched.at === 'question') {
            fail(watched.how);
            return;
          }
          wasAsked = true;
        }
      }
      if (watched && direction === 'toClient' && wasAsked) {
        fail(watched.how);
        return;
      }
      let part = chunk;
      if (cutAfter?.direction === direction && passed[direction] + chunk.length >= cutAfter.bytes) {
        part = chunk.subarray(0, cutAfter.bytes - passed[direction]);
        passed[direction] += part.length;
        stopped = true;
        to.write(part, () => fail('cut'));
        return;
      }
      passed[direction] += part.length;
      to.write(part);
    };
    const carry = (direction: Direction, from: Socket, to: Socket): void => {
      sockets.add(from);
      from.setNoDelay(true);
      from.on('error', () => {});
      from.on('data', (chunk) => {
        if (delays[direction] === 0) pass(direction, chunk, to);
        else setTimeout(() => pass(direction, chunk, to), delays[direction]);
      });
      from.on('close', () => {
        sockets.delete(from);
        if (!stopped) to.destroy();
      });
    };
    carry('toServer', client, upstream);
    carry('toClient', upstream, client);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  openProxies.add(() => {
    cut();
    server.close();
  });

  return {
    port,
    urlOf: ({ url }) => {
      const address = new URL(url);
      address.hostname = '127.0.0.1';
      address.port = String(port);
      return address.href;
    },
    get passed() {
      return { ...passed };
    },
    cutAfter: (direction, bytes) => {
      orders = { cutAfter: { direction, bytes } };
    },
    dropAnswerTo: (text) => {
      orders = { watched: { text, at: 'answer', how: 'cut' } };
    },
    stopBefore: (text) => {
      orders = { watched: { text, at: 'question', how: 'stop' } };
    },
    stopAnswerTo: (text) => {
      orders = { watched: { text, at: 'answer', how: 'stop' } };
    },
    get failed() {
      return failure;
    },
    hasFailed: () => failed,
    delay: (direction, milliseconds) => {
      delays = { ...delays, [direction]: milliseconds };
    },
    cut,
    reset: () => {
      if (stopped) cut();
      passed = { toServer: 0, toClient: 0, turns: 0 };
      delays = { toServer: 0, toClient: 0 };
      orders = {};
      stopped = false;
      failed = false;
      failure = new Promise<void>((resolve) => {
        tellFailure = resolve;
      });
    },
  };
}
