import type { Socket } from 'node:net';
import { type Readable, Transform, type Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type pg from 'pg';
import copyStreams from 'pg-copy-streams';
import { LizsyncError } from '../errors.js';
import type { ConnectionSettings } from './connection-settings.js';
import { cancelSession, nameConnection, type OpenClient, openClient, toAbortError } from './open-client.js';
import { PartedCopyIn } from './parted-copy-in.js';
import { DatabaseError, toLizsyncError } from './postgres-error.js';
import { watchForSilence } from './silence-watch.js';

/** So many bytes of a COPY wait for whoever takes them: the server goes on sending meanwhile. */
const copyOutBuffer = 512 * 1024;

/** A message that the server sends beside its results. */
export interface Notice {
  /** NOTICE, WARNING, INFO, ... */
  severity: string;
  message: string;
  detail: string | undefined;
  hint: string | undefined;
  sqlstate: string | undefined;
}

export interface ConnectionOptions {
  /** What the connection is for, in front of its description in errors, such as "central". */
  role?: string;
  /** Gets what the server remarks, and warnings about password files. */
  onNotice?: (notice: Notice) => void;
  /** Ends the connection, and with it what it is doing, when aborted; the reason becomes the error. */
  signal?: AbortSignal | undefined;
  /**
   * How long nothing may move while an answer is awaited before the server is asked whether it is there. Default: half of
   * the settings' tcp_user_timeout; an unanswered question takes the other half.
   */
  quietMilliseconds?: number;
}

export interface TransactionOptions {
  /** Default: read committed. */
  isolation?: 'read committed' | 'repeatable read' | 'serializable';
  readOnly?: boolean;
  /** How long to wait for a lock of somebody else, 60 by default; 0: for ever. */
  lockTimeoutSeconds?: number;
}

/** The rows of `COPY ... TO STDOUT` as bytes. */
export interface CopyOut extends Readable {
  /** Number of rows, once the server has ended the COPY; rejects when the COPY fails. Need not be awaited. */
  readonly completed: Promise<number>;
}

/** Takes the bytes of `COPY ... FROM STDIN`; it is finished when the server has taken all of them. */
export interface CopyIn extends Writable {
  /** Number of rows, once finished. */
  readonly rowCount: number;
}

/** A COPY that is committed part by part. */
export interface CopyParts {
  /** `COPY ... FROM STDIN` in binary format, for each part. */
  copy: string;
  /** Run at the end of the transaction that is open, before the first part. */
  before: string;
  /** Run at the beginning of the transaction of each part. */
  beforeEach: string;
}

/** What node-postgres calls on the streams of pg-copy-streams. */
interface CopyHandlers {
  handleCommandComplete?(message: { text?: string }): void;
  handleError(error: unknown): void;
  handleReadyForQuery(): void;
}

/** Bytes of the smallest part of a COPY that is committed part by part, and how many parts there are at most. */
const smallestPart = 256 * 1024;
const partCount = 64;

/** How long the goodbye to a server may take. */
const closeTimeoutMilliseconds = 2000;

/**
 * One session in a database. One thing at a time: wait for the end of a query or COPY before the next. Errors are
 * LizsyncErrors, mostly DatabaseErrors. After an error of the connection itself it is broken, and everything else fails
 * with the same error.
 */
export class Connection {
  readonly settings: ConnectionSettings;
  /** For people: "central (test on localhost:5432 as alice)". */
  readonly description: string;
  /** What the server reports about itself at the start: server_version, server_encoding, is_superuser, ... */
  readonly parameters: ReadonlyMap<string, string>;
  readonly #client: pg.Client;
  readonly #stopWatch: () => void;
  readonly #forgetSignal: () => void;
  #roundTrips = 0;
  /** How many answers of the server are awaited. */
  #waiting = 0;
  #failure: LizsyncError | undefined;

  /** Use `openConnection` or `withConnection`. */
  constructor(opened: OpenClient, settings: ConnectionSettings, options: ConnectionOptions) {
    const { client, host, address, parameters } = opened;
    const { onNotice, signal } = options;
    this.settings = settings;
    this.description = nameConnection({ ...settings, hosts: [host] }, options.role);
    this.parameters = parameters;
    this.#client = client;
    client.on('error', (error) => this.#fail(this.#translate(error)));
    client.on('end', () => this.#fail(this.#translate(new Error('Connection terminated'))));
    if (onNotice) {
      client.on('notice', ({ severity = 'NOTICE', message = '', detail, hint, code }) =>
        onNotice({ severity, message, detail, hint, sqlstate: code }),
      );
    }
    const abort = (): void => {
      // a server that computes would not notice before it is done that nobody waits for it
      if (this.#waiting > 0) cancelSession(opened);
      this.#fail(toAbortError(signal?.reason));
    };
    signal?.addEventListener('abort', abort, { once: true });
    this.#forgetSignal = () => signal?.removeEventListener('abort', abort);
    this.#stopWatch = address === undefined ? () => {} : this.#watch({ host: address, port: host.port }, options);
    if (signal?.aborted) abort();
  }

  /** Messages sent for which an answer had to be awaited, since the connection was opened. */
  get roundTrips(): number {
    return this.#roundTrips;
  }

  /** True when the session is gone. */
  get isBroken(): boolean {
    return this.#failure !== undefined;
  }

  /** The major version of the server, such as 15. */
  get serverVersion(): number {
    return Number.parseInt(this.parameters.get('server_version') ?? '', 10);
  }

  /**
   * Runs one statement and returns its rows. Values travel as $1, $2, ...
   * Node-postgres decides on the types: bigint and numeric are strings, timestamps Dates without microseconds.
   */
  async query<Row extends pg.QueryResultRow = pg.QueryResultRow>(text: string, values?: unknown[]): Promise<Row[]> {
    return (await this.#send<Row>(text, values)).rows;
  }

  /** Runs one statement and returns how many rows it inserted, updated, deleted or returned. */
  async execute(text: string, values?: unknown[]): Promise<number> {
    return (await this.#send(text, values)).rowCount ?? 0;
  }

  /** Runs several statements, separated by ";", in one round trip and returns the rows of each. */
  async queryBatch<Row extends pg.QueryResultRow = pg.QueryResultRow>(text: string): Promise<Row[][]> {
    const results: unknown = await this.#send<Row>(text);
    return (Array.isArray(results) ? results : [results]).map(({ rows }: pg.QueryResult<Row>) => rows);
  }

  /**
   * Starts a `COPY ... TO STDOUT`. Who doesn't read it to its end breaks the connection: there is no other way to stop a
   * server that sends.
   */
  copyOut(sql: string): CopyOut {
    this.#check();
    const stream = copyStreams.to(sql, { highWaterMark: copyOutBuffer });
    const { ended, hasEnded } = this.#track(stream as unknown as Readable & CopyHandlers, 1);
    stream.once('close', () => {
      if (!stream.readableEnded && !hasEnded())
        this.#fail(new DatabaseError(`${this.description}: reading a COPY was given up`));
    });
    const completed = ended.then(() => stream.rowCount);
    completed.catch(() => {});
    this.#client.query(stream);
    return Object.assign(stream, { completed });
  }

  /** Starts a `COPY ... FROM STDIN`. Destroying the stream cancels the COPY and leaves the connection usable. */
  copyIn(sql: string): CopyIn {
    this.#check();
    const stream = copyStreams.from(sql);
    this.#track(stream as unknown as Writable & CopyHandlers, 2).ended.catch(() => {});
    this.#client.query(stream);
    return stream;
  }

  /**
   * Starts a COPY that commits what it has from time to time: what is lost with the connection is a tenth of all, or less
   * than a megabyte. A transaction must be open; another one is when the stream is finished, with the last part in it.
   * However many parts there are, they take one round trip together.
   */
  copyInParts({ copy, before, beforeEach }: CopyParts): CopyIn {
    this.#check();
    const part = `${beforeEach}; ${copy}`;
    const parts = Array(partCount - 1).fill(`begin isolation level read committed, read write; ${part}`);
    const stream = copyStreams.from([before, ...parts, `${toBeginning({})}; ${part}`].join('; commit; '));
    const { handleCommandComplete } = stream as unknown as CopyHandlers;
    (stream as unknown as CopyHandlers).handleCommandComplete = (message) => {
      const earlier = stream.rowCount;
      handleCommandComplete?.call(stream, message);
      if (message.text?.startsWith('COPY ')) stream.rowCount += earlier;
    };
    this.#track(stream as unknown as Writable & CopyHandlers, 2).ended.catch(() => {});
    this.#client.query(stream);
    const copyDone = Buffer.from([0x63, 0, 0, 0, 4]);
    return new PartedCopyIn(stream, partCount, smallestPart, () => this.#client.connection.stream.write(copyDone));
  }

  /**
   * Begins a transaction with pinned settings, in one round trip; see `withTransaction`. With a `statement`, runs it in the
   * same round trip and returns its rows.
   */
  async begin<Row extends pg.QueryResultRow = pg.QueryResultRow>(
    options: TransactionOptions = {},
    statement?: string,
  ): Promise<Row[]> {
    if (this.#client.getTransactionStatus() !== 'I') throw new Error('there is a transaction already');
    const settings = toBeginning(options);
    const results = await this.queryBatch<Row>(statement === undefined ? settings : `${settings}; ${statement}`);
    return statement === undefined ? [] : (results.at(-1) ?? []);
  }

  /** Commits a transaction that only read, and begins another as `begin` does, in one round trip. */
  async commitAndBegin(options: TransactionOptions = {}): Promise<void> {
    await this.queryBatch(`commit; ${toBeginning(options)}`);
  }

  /**
   * Commits; throws when the server rolls back instead because a statement had failed. With a `statement`, runs it before
   * in the same round trip and returns its rows; when it fails, the transaction is left to roll back.
   */
  async commit<Row extends pg.QueryResultRow = pg.QueryResultRow>(statement?: string): Promise<Row[]> {
    try {
      const answer: unknown = await this.#send<Row>(
        statement === undefined ? 'commit' : `${statement}; commit`,
        undefined,
        statement === undefined ? 'commit the transaction' : undefined,
      );
      const results = (Array.isArray(answer) ? answer : [answer]) as pg.QueryResult<Row>[];
      if (results.at(-1)?.command !== 'COMMIT') {
        throw new DatabaseError('the transaction was rolled back, because one of its statements had failed', {
          details: [`database: ${this.description}`],
        });
      }
      return statement === undefined ? [] : (results.at(-2)?.rows ?? []);
    } catch (error) {
      if (!(error instanceof DatabaseError) || !error.isConnectionFailure) throw error;
      throw new DatabaseError(`${error.message}; whether the transaction was committed is not known`, error);
    }
  }

  /** Rolls back, if there is something to roll back. Never throws: where it fails the connection is broken. */
  async rollback(): Promise<void> {
    if (this.isBroken || this.#client.getTransactionStatus() === 'I') return;
    try {
      await this.#send('rollback', undefined, 'roll the transaction back');
    } catch (error) {
      this.#fail(this.#translate(error));
    }
  }

  /** Ends the session. Never throws, and takes two seconds at most. */
  async close(): Promise<void> {
    this.#stopWatch();
    this.#forgetSignal();
    const { stream } = this.#client.connection;
    if (!this.isBroken && this.#waiting === 0) {
      this.#failure = new DatabaseError(`the connection to ${this.description} is closed`);
      let timer: NodeJS.Timeout | undefined;
      const limit = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, closeTimeoutMilliseconds);
      });
      await Promise.race([this.#client.end().catch(() => {}), limit]);
      clearTimeout(timer);
    }
    this.#failure ??= new DatabaseError(`the connection to ${this.description} is closed`);
    stream.destroy();
  }

  async #send<Row extends pg.QueryResultRow>(
    text: string,
    values?: unknown[],
    doing?: string,
  ): Promise<pg.QueryResult<Row>> {
    this.#check();
    this.#roundTrips += 1;
    this.#waiting += 1;
    try {
      return await this.#client.query<Row>(text, values);
    } catch (error) {
      throw this.#note(error, doing);
    } finally {
      this.#waiting -= 1;
    }
  }

  /** `ended` resolves when the server is ready again after a COPY, and rejects when the COPY fails. */
  #track(
    stream: (Readable | Writable) & CopyHandlers,
    roundTrips: number,
  ): { ended: Promise<void>; hasEnded: () => boolean } {
    this.#roundTrips += roundTrips;
    this.#waiting += 1;
    // The reader or writer of the stream listens too, but not for ever, and an error nobody listens to ends the process.
    stream.on('error', () => {});
    const { handleError, handleReadyForQuery } = stream;
    let over = false;
    const end = (): void => {
      if (!over) this.#waiting -= 1;
      over = true;
    };
    const ended = new Promise<void>((resolve, reject) => {
      stream.handleError = (error) => {
        end();
        const noted = this.#note(error);
        reject(noted);
        // The server has ended the COPY: there is nothing left to cancel, which pg-copy-streams would wait for.
        if (!stream.destroyed) stream._destroy = (cause, callback) => callback(cause);
        handleError.call(stream, noted);
      };
      stream.handleReadyForQuery = () => {
        end();
        resolve();
        handleReadyForQuery.call(stream);
      };
    });
    return { ended, hasEnded: () => over };
  }

  #watch(target: { host: string; port: number }, options: ConnectionOptions): () => void {
    const socket = this.#client.connection.stream as Socket;
    return watchForSilence({
      target,
      isWaiting: () => this.#waiting > 0,
      countBytes: () => socket.bytesRead + socket.bytesWritten,
      quietMilliseconds: options.quietMilliseconds ?? this.settings.tcpUserTimeoutMilliseconds / 2,
      onSilence: (error) => this.#fail(this.#translate(error)),
    });
  }

  #check(): void {
    if (this.#failure !== undefined) throw this.#failure;
  }

  #translate(error: unknown, doing?: string): LizsyncError {
    return toLizsyncError(error, { connection: this.description, doing });
  }

  /** Translates an error, and notes whether it is the end of the connection. What ended it first counts. */
  #note(error: unknown, doing?: string): LizsyncError {
    if (this.#failure !== undefined) return this.#failure;
    const translated = this.#translate(error, doing);
    if (translated instanceof DatabaseError && translated.isConnectionFailure) this.#fail(translated);
    return translated;
  }

  #fail(error: LizsyncError): void {
    if (this.#failure !== undefined) return;
    this.#failure = error;
    this.#stopWatch?.();
    this.#client.connection.stream.destroy();
  }
}

/**
 * Set in every transaction, and only there: nothing is left behind in a session that a pooler hands to the next user.
 * Values have one spelling on all servers, and names mean the same whatever the role's or the database's own settings
 * are. The server gives up on a client that has disappeared instead of holding its locks for two hours.
 */
const pinnedSettings = [
  "search_path = ''",
  "datestyle = 'ISO'",
  "intervalstyle = 'postgres'",
  "timezone = 'UTC'",
  'extra_float_digits = 1',
  "bytea_output = 'hex'",
  "lc_monetary = 'C'",
  'array_nulls = on',
  "xmloption = 'content'",
  'standard_conforming_strings = on',
  'transform_null_equals = off',
  'quote_all_identifiers = off',
  'row_security = off',
  'statement_timeout = 0',
  'idle_in_transaction_session_timeout = 0',
  'tcp_keepalives_idle = 60',
  'tcp_keepalives_interval = 10',
  'tcp_keepalives_count = 6',
];

/** The SQL that begins a transaction. */
function toBeginning({
  isolation = 'read committed',
  readOnly = false,
  lockTimeoutSeconds = 60,
}: TransactionOptions): string {
  return [
    `begin isolation level ${isolation}, read ${readOnly ? 'only' : 'write'}, not deferrable`,
    ...pinnedSettings,
    `lock_timeout = ${Math.round(lockTimeoutSeconds * 1000)}`,
  ].join('; set local ');
}

/**
 * Opens a connection; the caller closes it.
 * @throws DatabaseError when no server accepts it; UsageError for missing certificates and the like
 */
export async function openConnection(
  settings: ConnectionSettings,
  options: ConnectionOptions = {},
): Promise<Connection> {
  const { onNotice } = options;
  if (options.signal?.aborted) throw toAbortError(options.signal.reason);
  const opened = await openClient(settings, {
    role: options.role,
    signal: options.signal,
    onWarning: onNotice && ((message) => onNotice({ ...plainNotice, severity: 'WARNING', message })),
  });
  return new Connection(opened, settings, options);
}

/** Opens a connection, works with it and closes it whatever happens. */
export async function withConnection<T>(
  settings: ConnectionSettings,
  work: (connection: Connection) => Promise<T>,
  options: ConnectionOptions = {},
): Promise<T> {
  const connection = await openConnection(settings, options);
  try {
    return await work(connection);
  } finally {
    await connection.close();
  }
}

/**
 * Works within a transaction: an empty search_path (every name needs its schema), pinned output settings, no row security
 * that hides rows, no time limits of the server's own. Commits when the work succeeds, else rolls back.
 * Two round trips beside the work's own.
 */
export async function withTransaction<T>(
  connection: Connection,
  options: TransactionOptions,
  work: () => Promise<T>,
): Promise<T> {
  await connection.begin(options);
  let result: T;
  try {
    result = await work();
  } catch (error) {
    await connection.rollback();
    throw error;
  }
  await connection.commit();
  return result;
}

/** A COPY from one connection to another failed. */
export class CopyError extends DatabaseError {
  override readonly name = 'CopyError';
  /** Where it failed. */
  readonly side: 'source' | 'target';

  constructor(side: 'source' | 'target', failed: Connection, cause: LizsyncError) {
    super(`${side === 'source' ? 'reading from' : 'writing to'} ${failed.description}: ${cause.message}`, cause);
    this.side = side;
  }
}

/**
 * Pipes a `COPY ... TO STDOUT` of one connection into a `COPY ... FROM STDIN` of another, unread.
 *
 * When it fails at the source, the target's COPY is cancelled and both connections can go on (with a rollback, in a
 * transaction). When it fails at the target the source's connection is closed, as there is no telling how much more it
 * would send.
 * @param onBytes gets the number of bytes so far
 * @throws CopyError, which says where it failed
 */
export async function pipeCopy(
  from: Connection,
  fromSql: string,
  to: Connection,
  into: string | CopyParts,
  onBytes?: (bytes: number) => void,
): Promise<{ rows: number; bytes: number }> {
  const target = typeof into === 'string' ? to.copyIn(into) : to.copyInParts(into);
  let source: CopyOut;
  try {
    source = from.copyOut(fromSql);
  } catch (error) {
    target.destroy(error as Error);
    throw error;
  }
  // The error of the one stream destroys the other with the same error: the first to have it is the one that failed.
  let failure: CopyError | undefined;
  const watch = (side: 'source' | 'target', connection: Connection) => (error: Error) => {
    if (error instanceof LizsyncError) failure ??= new CopyError(side, connection, error);
  };
  source.once('error', watch('source', from));
  target.once('error', watch('target', to));
  let bytes = 0;
  const counter = new Transform({
    transform(chunk: Buffer, _encoding, callback) {
      bytes += chunk.length;
      onBytes?.(bytes);
      callback(null, chunk);
    },
  });
  try {
    await pipeline(source, counter, target);
  } catch (error) {
    throw failure ?? error;
  }
  const rows = await source.completed;
  if (rows !== target.rowCount) {
    throw new DatabaseError(`${from.description} sent ${rows} rows, ${to.description} received ${target.rowCount}`);
  }
  return { rows, bytes };
}

const plainNotice = { detail: undefined, hint: undefined, sqlstate: undefined };
