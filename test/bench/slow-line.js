// A line to a server that takes its time and counts what passes.
import { connect, createServer } from 'node:net';

/**
 * @param {{ host: string, port: number }} target
 * @param {number} milliseconds how long everything is on its way, in each direction
 */
export async function createSlowLine(target, milliseconds) {
  let bytes = 0;
  let turns = 0;
  /** @type {Set<import('node:net').Socket>} */
  const sockets = new Set();
  const server = createServer((client) => {
    const upstream = connect(target.port, target.host);
    let wasAsked = false;
    /** @param {import('node:net').Socket} from @param {import('node:net').Socket} to @param {boolean} isQuestion */
    const carry = (from, to, isQuestion) => {
      sockets.add(from);
      from.setNoDelay(true);
      from.on('error', () => {});
      from.on('data', (chunk) => {
        bytes += chunk.length;
        if (isQuestion && !wasAsked) turns += 1;
        wasAsked = isQuestion;
        if (milliseconds === 0) to.write(chunk);
        else setTimeout(() => to.write(chunk), milliseconds);
      });
      from.on('close', () => {
        sockets.delete(from);
        setTimeout(() => to.destroy(), milliseconds);
      });
    };
    carry(client, upstream, true);
    carry(upstream, client, false);
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)));
  const address = server.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  return {
    /** Bytes both ways since the last reset. */
    passed: () => bytes,
    /** How often the server was asked after it had answered. */
    turns: () => turns,
    reset: () => {
      bytes = 0;
      turns = 0;
    },
    /** Where a database is reached over this line. @param {{ url: string }} database */
    urlOf: ({ url }) => {
      const there = new URL(url);
      there.port = String(port);
      return there.href;
    },
    close: () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}
