import { Socket } from 'node:net';

/** A TCP address. */
export interface TcpTarget {
  host: string;
  port: number;
}

export interface SilenceWatchOptions {
  /** Whether an answer of the server is awaited at the moment. */
  isWaiting: () => boolean;
  /** How many bytes have gone both ways so far. */
  countBytes: () => number;
  target: TcpTarget;
  /** So long nothing must move before the server is asked whether it is there. */
  quietMilliseconds: number;
  /** Called once, when the server can no longer be reached. */
  onSilence: (error: Error) => void;
}

/** How long a server may take, at most, to answer the question whether it is there. */
const probeTimeoutMilliseconds = 10_000;

/** A GSSENCRequest: every server answers it with one byte, and logs nothing when nothing follows. */
const question = Buffer.from([0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x30]);

/**
 * Notices a network that has fallen silent. The kernel's keep-alive does so only while nothing is on its way: data that is
 * never acknowledged is sent again for a quarter of an hour. A time limit for queries would end honest long ones. So when
 * nothing has moved for a while, a second connection asks the server's address whether it is there, and two questions in
 * a row without an answer end the first.
 *
 * @returns ends the watch
 */
export function watchForSilence(options: SilenceWatchOptions): () => void {
  const { isWaiting, countBytes, target, quietMilliseconds, onSilence } = options;
  let bytes = countBytes();
  let lastMoved = Date.now();
  let failures = 0;
  let stopped = false;
  let asking = false;
  const look = async (): Promise<void> => {
    if (asking) return;
    const now = countBytes();
    if (now !== bytes || !isWaiting()) {
      bytes = now;
      lastMoved = Date.now();
      failures = 0;
      return;
    }
    if (Date.now() - lastMoved < quietMilliseconds) return;
    asking = true;
    failures = (await isReachable(target, Math.min(probeTimeoutMilliseconds, quietMilliseconds))) ? 0 : failures + 1;
    asking = false;
    if (stopped || !isWaiting() || countBytes() !== bytes) return;
    if (failures === 0) lastMoved = Date.now();
    if (failures < 2) return;
    stop();
    const seconds = Math.round((Date.now() - lastMoved) / 1000);
    onSilence(Object.assign(new Error(`no answer from the server for ${seconds} seconds`), { code: 'ETIMEDOUT' }));
  };
  const timer = setInterval(look, Math.max(quietMilliseconds / 4, 50));
  timer.unref();
  const stop = (): void => {
    stopped = true;
    clearInterval(timer);
  };
  return stop;
}

/** True when anything answers at the address, be it by closing the connection. */
function isReachable(target: TcpTarget, timeoutMilliseconds: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = new Socket();
    const finish = (reachable: boolean): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(reachable);
    };
    const timer = setTimeout(() => finish(false), timeoutMilliseconds);
    socket.once('data', () => finish(true));
    socket.once('end', () => finish(true));
    socket.once('error', ({ code }: NodeJS.ErrnoException) => finish(code === 'ECONNRESET'));
    socket.connect(target, () => socket.write(question));
  });
}
