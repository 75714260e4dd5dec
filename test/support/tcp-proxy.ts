import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { afterAll } from 'vitest';

/** A line between clients and a PostgreSQL server that fails on demand. Counts start again with each `reset`. */
export interface TcpProxy {
  port: number;
  /** Where a database is reached over this line. */
  urlOf(database: { url: string }): string;
  /**
   * Bytes that have passed, how often the server was asked (its turn came after an answer that the client had to wait
   * for), and how many of these were steps: queries and rows of COPY, not what a session begins and ends with.
   */
  readonly passed: { toServer: number; toClient: number; turns: number; steps: number };
  /** Cuts all connections once so many bytes have passed in this direction; what lies beyond does not arrive. */
  cutAfter(direction: Direction, bytes: number): void;
  /** Stops the line, without a word, once so many bytes have passed in this direction. */
  stopAfter(direction: Direction, bytes: number): void;
  /** Cuts all connections when the server answers what contains this text: it is done, but nobody hears of it. */
  dropAnswerTo(text: string): void;
  /** Stops the line, without a word, just before the server gets what contains this text. */
  stopBefore(text: string): void;
  /** Stops the line, without a word, when the server answers what contains this text. */
  stopAnswerTo(text: string): void;
  /** Stops the line, without a word, at the step with this number, counted from 1: before the server gets it or when it answers. */
  stopAtStep(step: number, at: Moment): void;
  /** As stopAtStep, but what comes then is kept, and goes on with `resume`. */
  pauseAtStep(step: number, at: Moment): void;
  /** Lets go what a pause has kept. */
  resume(): void;
  /** Resolves when the line was cut, stopped or paused by one of the above. */
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

/** Of a step: before the server gets it, or when it answers. */
export type Moment = 'question' | 'answer';

type Failure = 'cut' | 'stop' | 'pause';

interface Orders {
  limit?: { direction: Direction; bytes: number; how: 'cut' | 'stop' };
  /** What the server is asked: by its text, or by the number of the step. */
  watched?: { what: string | number; at: Moment; how: Failure };
}

/** The first letters of messages that ask the server for something: Query, Parse, CopyData, CopyDone. */
const stepTypes = new Set(Buffer.from('QPdc'));
const copyTypes = new Set(Buffer.from('dc'));

/**
 * Follows what a client sends. Tells of each piece whether the client need not have waited for an answer before: it is in
 * the middle of the rows of a COPY, or of several COPYs that one Query asked for.
 */
function followClient(): (chunk: Buffer) => boolean {
  // messages of a session have a type, a length and a body; what opens it has no type
  const sslRequest = 80877103;
  let isTyped = false;
  let isCopying = false;
  let header = Buffer.alloc(0);
  let missing = 0;
  return (chunk) => {
    const goesOn = isCopying && (missing > 0 || header.length > 0 || copyTypes.has(chunk[0] ?? 0));
    for (let at = 0; at < chunk.length; ) {
      if (missing > 0) {
        const taken = Math.min(missing, chunk.length - at);
        missing -= taken;
        at += taken;
        continue;
      }
      const wanted = (isTyped ? 5 : 8) - header.length;
      header = Buffer.concat([header, chunk.subarray(at, at + wanted)]);
      at += wanted;
      if (header.length < (isTyped ? 5 : 8)) break;
      if (isTyped) {
        isCopying = copyTypes.has(header[0] ?? 0);
        missing = header.readUInt32BE(1) - 4;
      } else {
        isTyped = header.readUInt32BE(4) !== sslRequest;
        missing = header.readUInt32BE(0) - 8;
      }
      header = Buffer.alloc(0);
    }
    return goesOn;
  };
}

const openProxies = new Set<() => void>();

afterAll(() => {
  for (const close of openProxies) close();
  openProxies.clear();
});

/** Opens a line to a server; it closes when all tests of the file have ended. */
export async function createTcpProxy(target: { host: string; port: number }): Promise<TcpProxy> {
  const sockets = new Set<Socket>();
  let passed = { toServer: 0, toClient: 0, turns: 0, steps: 0 };
  let delays = { toServer: 0, toClient: 0 };
  let orders: Orders = {};
  let stopped = false;
  let kept: (() => void)[] | undefined;
  let failed = false;
  let tellFailure: () => void = () => {};
  let failure = new Promise<void>((resolve) => {
    tellFailure = resolve;
  });

  const cut = (): void => {
    kept = undefined;
    for (const socket of sockets) socket.destroy();
    sockets.clear();
  };
  const fail = (how: Failure): void => {
    orders = {};
    stopped = how === 'stop';
    if (how === 'pause') kept = [];
    if (how === 'cut') cut();
    failed = true;
    tellFailure();
  };

  const server = createServer((client) => {
    const upstream = connect(target.port, target.host);
    const goesOn = followClient();
    let last: Direction = 'toClient';
    let wasAsked = false;
    // the words that are looked for may lie in two chunks
    let heard = '';

    const pass = (direction: Direction, chunk: Buffer, to: Socket): void => {
      if (stopped) return;
      const turned = direction === 'toServer' && !goesOn(chunk) && last === 'toClient';
      const isStep = turned && stepTypes.has(chunk[0] ?? 0);
      if (turned) passed.turns += 1;
      if (isStep) passed.steps += 1;
      last = direction;
      const { watched } = orders;
      let reached = false;
      if (watched && direction === 'toServer') {
        if (typeof watched.what === 'string') heard = heard.slice(-watched.what.length) + chunk.toString('latin1');
        const asked =
          typeof watched.what === 'string' ? heard.includes(watched.what) : isStep && passed.steps === watched.what;
        reached = asked && watched.at === 'question';
        wasAsked ||= asked;
      } else if (watched && wasAsked) {
        reached = true;
      }
      if (watched && reached) {
        wasAsked = false;
        fail(watched.how);
        if (watched.how !== 'pause') return;
      }
      if (kept) kept.push(() => send(direction, chunk, to));
      else send(direction, chunk, to);
    };
    const send = (direction: Direction, chunk: Buffer, to: Socket): void => {
      const { limit } = orders;
      let part = chunk;
      if (limit?.direction === direction && passed[direction] + chunk.length >= limit.bytes) {
        part = chunk.subarray(0, limit.bytes - passed[direction]);
        passed[direction] += part.length;
        stopped = true;
        to.write(part, () => fail(limit.how));
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
        if (stopped) return;
        if (kept) kept.push(() => to.destroy());
        else to.destroy();
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
      orders = { limit: { direction, bytes, how: 'cut' } };
    },
    stopAfter: (direction, bytes) => {
      orders = { limit: { direction, bytes, how: 'stop' } };
    },
    dropAnswerTo: (text) => {
      orders = { watched: { what: text, at: 'answer', how: 'cut' } };
    },
    stopBefore: (text) => {
      orders = { watched: { what: text, at: 'question', how: 'stop' } };
    },
    stopAnswerTo: (text) => {
      orders = { watched: { what: text, at: 'answer', how: 'stop' } };
    },
    stopAtStep: (step, at) => {
      orders = { watched: { what: step, at, how: 'stop' } };
    },
    pauseAtStep: (step, at) => {
      orders = { watched: { what: step, at, how: 'pause' } };
    },
    resume: () => {
      const actions = kept ?? [];
      kept = undefined;
      for (const act of actions) act();
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
      if (stopped || kept) cut();
      passed = { toServer: 0, toClient: 0, turns: 0, steps: 0 };
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
