import { lookup } from 'node:dns/promises';
import { isIP, Socket } from 'node:net';
import type { ConnectionOptions } from 'node:tls';
import pg from 'pg';
import { LizsyncError } from '../errors.js';
import {
  type ConnectionSettings,
  describeConnection,
  type HostSettings,
  type TargetSessionAttributes,
} from './connection-settings.js';
import { findPassword } from './password-file.js';
import { DatabaseError, toLizsyncError } from './postgres-error.js';
import { buildTlsOptions } from './tls-options.js';

/** A connected client, and which of the hosts it reached. */
export interface OpenClient {
  client: pg.Client;
  host: HostSettings;
  /** The IP address it is connected to; undefined for a Unix socket. */
  address: string | undefined;
  /** What the server told about itself at the start, such as server_version and is_superuser. */
  parameters: Map<string, string>;
}

export interface OpenOptions {
  /** What the connection is for, such as "central". */
  role?: string | undefined;
  onWarning?: ((text: string) => void) | undefined;
  /** Ends the attempt when aborted. */
  signal?: AbortSignal | undefined;
}

/** What errors call a connection: "central (test on localhost:5432 as alice)". */
export function nameConnection(settings: ConnectionSettings, role: string | undefined): string {
  const description = describeConnection(settings);
  return role === undefined ? description : `${role} (${description})`;
}

/** The error of whatever an abort signal ended. */
export function toAbortError(reason: unknown): LizsyncError {
  return reason instanceof LizsyncError ? reason : new LizsyncError('interrupted', { cause: reason });
}

const cancelRequestCode = 80877102;
const cancelTimeoutMilliseconds = 1000;

/** Asks a server to end what a session is doing, over a connection of its own as the protocol wants. Never fails aloud. */
export function cancelSession({ client, host, address }: OpenClient): void {
  const { processID, secretKey } = client as unknown as { processID: number | null; secretKey: number | null };
  if (typeof processID !== 'number' || typeof secretKey !== 'number') return;
  const request = Buffer.alloc(16);
  request.writeInt32BE(request.length, 0);
  request.writeInt32BE(cancelRequestCode, 4);
  request.writeInt32BE(processID, 8);
  request.writeInt32BE(secretKey, 12);
  const socket = new Socket();
  socket.on('error', () => {});
  socket.setTimeout(cancelTimeoutMilliseconds, () => socket.destroy());
  socket.connect(address === undefined ? { path: socketPath(host) } : { host: address, port: host.port });
  // the server closes it when it has done so
  socket.write(request);
  socket.resume();
}

interface Target {
  host: HostSettings;
  /** Undefined for a Unix socket. */
  address: string | undefined;
  /** What errors call it. */
  connection: string;
}

/**
 * Connects as libpq does: host by host, address by address, with and without TLS as sslmode allows, until a server
 * accepts that has the wanted session attributes. A server that refuses the user ends the search, one that cannot be
 * reached or is starting does not.
 *
 * @throws DatabaseError when no server accepts; UsageError for missing certificates and the like
 */
export async function openClient(settings: ConnectionSettings, options: OpenOptions = {}): Promise<OpenClient> {
  const failures: { host: HostSettings; error: LizsyncError }[] = [];
  const hosts = settings.loadBalanceHosts ? shuffle(settings.hosts) : settings.hosts;
  const wanted: TargetSessionAttributes[] =
    settings.targetSessionAttrs === 'prefer-standby' ? ['standby', 'any'] : [settings.targetSessionAttrs];
  for (const attributes of wanted) {
    for (const host of hosts) {
      const connection = nameConnection({ ...settings, hosts: [host] }, options.role);
      const note = (cause: unknown): void => {
        const error = toLizsyncError(cause, { connection, doing: `connect to ${connection}` });
        if (!(error instanceof DatabaseError) || isFinal(error)) throw error;
        failures.push({ host, error });
      };
      const addresses = await findAddresses(settings, host).catch((cause: unknown) => {
        note(cause);
        return [];
      });
      for (const address of addresses) {
        try {
          const opened = await openAddress(settings, { host, address, connection }, options);
          let fits = false;
          try {
            fits = await hasAttributes(opened.client, attributes);
          } finally {
            if (!fits) opened.client.connection.stream.destroy();
          }
          if (fits) return opened;
          throw new DatabaseError(`${connection} is not what target_session_attrs=${attributes} asks for`);
        } catch (cause) {
          note(cause);
        }
      }
    }
  }
  throw joinFailures(nameConnection(settings, options.role), failures);
}

/** libpq asks no further server when one has refused the user; "cannot connect now" is no refusal. */
function isFinal(error: DatabaseError): boolean {
  return error.sqlstate !== undefined && error.sqlstate !== '57P03';
}

function joinFailures(connection: string, failures: { host: HostSettings; error: LizsyncError }[]): LizsyncError {
  const [first] = failures;
  const messages = [...new Set(failures.map(({ error }) => error.message))];
  if (first !== undefined && messages.length === 1) return first.error;
  return new DatabaseError(`could not connect to ${connection}: no server accepted`, {
    hint: first?.error.hint,
    details: failures.map(({ host, error }) => `${host.host}:${host.port}: ${error.message}`),
    isConnectionFailure: true,
    cause: first?.error,
  });
}

function isSocketDirectory(host: string): boolean {
  return host.startsWith('/') || host.startsWith('@');
}

async function findAddresses(settings: ConnectionSettings, host: HostSettings): Promise<(string | undefined)[]> {
  if (host.address !== undefined) return [host.address];
  if (isSocketDirectory(host.host)) return [undefined];
  if (isIP(host.host) !== 0) return [host.host];
  const found = await withTimeLimit(lookup(host.host, { all: true }), settings.connectTimeoutSeconds);
  return found.map(({ address }) => address);
}

async function openAddress(settings: ConnectionSettings, target: Target, options: OpenOptions): Promise<OpenClient> {
  const [first, second] = planEncryption(settings, target.address);
  try {
    return await openAttempt(settings, target, first, options);
  } catch (error) {
    if (second === undefined || !mayRepeat(error, first !== undefined)) throw error;
    try {
      return await openAttempt(settings, target, second === 'plain' ? undefined : second, options);
    } catch (secondError) {
      // Where the server gave a reason both times, the first is about the better of the two ways.
      throw error instanceof pg.DatabaseError ? error : secondError;
    }
  }
}

/** With which encryption to try, and what to try when that fails; undefined: without, and nothing. */
function planEncryption(
  settings: ConnectionSettings,
  address: string | undefined,
): [ConnectionOptions | undefined, (ConnectionOptions | 'plain')?] {
  // libpq ignores sslmode on Unix sockets: there is no network to protect.
  if (address === undefined || settings.sslmode === 'disable') return [undefined];
  const tls = buildTlsOptions(settings);
  if (settings.sslmode === 'allow') return [undefined, tls];
  if (settings.sslmode === 'prefer') return [tls, 'plain'];
  return [tls];
}

/**
 * Whether sslmode allow or prefer may try the other way: the server has no TLS, the handshake failed, or pg_hba.conf has
 * no line for this way. libpq repeats after a wrong password too; that can only show the password to the network.
 */
function mayRepeat(error: unknown, encrypted: boolean): boolean {
  if (error instanceof pg.DatabaseError) return error.code === '28000';
  if (!encrypted || !(error instanceof Error) || error instanceof LizsyncError) return false;
  const { code = '', message } = error as NodeJS.ErrnoException;
  return /SSL|TLS/.test(code) || code === 'EPROTO' || code === 'ECONNRESET' || /SSL connection/.test(message);
}

async function openAttempt(
  settings: ConnectionSettings,
  { host, address, connection }: Target,
  tls: ConnectionOptions | undefined,
  options: OpenOptions,
): Promise<OpenClient> {
  const socket = new DirectedSocket(
    address === undefined ? { path: socketPath(host) } : { host: address, port: host.port },
  );
  const client = new pg.Client({
    user: settings.user,
    database: settings.database,
    host: host.host,
    port: host.port,
    password: async () => {
      const password = await findPassword(settings, host, options.onWarning);
      if (password !== undefined && password !== '') return password;
      throw new DatabaseError(`could not connect to ${connection}: the server asks for a password, and there is none`, {
        hint: `Put it into ${settings.passwordFile ?? '~/.pgpass'} (host:port:database:user:password) or PGPASSWORD.`,
        sqlstate: '28P01',
      });
    },
    ssl: tls ?? false,
    sslnegotiation: settings.sslnegotiation === 'direct' && tls !== undefined ? 'direct' : 'postgres',
    enableChannelBinding: tls !== undefined && settings.channelBinding !== 'disable',
    application_name: settings.applicationName,
    options: settings.options,
    client_encoding: 'UTF8',
    keepAlive: settings.keepalives,
    keepAliveInitialDelayMillis: settings.keepalivesIdleSeconds * 1000,
    connectionTimeoutMillis: settings.connectTimeoutSeconds * 1000,
    stream: () => socket,
  });
  // What the settings leave out node-postgres takes from process.env, but what counts has been decided.
  const driver = client as unknown as { connectionParameters: { options: string; replication: undefined } };
  driver.connectionParameters.options = settings.options ?? '';
  driver.connectionParameters.replication = undefined;

  const parameters = new Map<string, string>();
  client.connection.on('parameterStatus', (message: { parameterName: string; parameterValue: string }) => {
    parameters.set(message.parameterName, message.parameterValue);
  });
  const checkBinding =
    settings.channelBinding === 'require' ? requireChannelBinding(client, tls !== undefined, connection) : () => {};
  // A broken connection is reported by what is waiting for it; without a listener it would end the process.
  client.on('error', () => {});
  const abort = (): void => {
    client.connection.stream.destroy(toAbortError(options.signal?.reason));
  };
  options.signal?.addEventListener('abort', abort, { once: true });
  try {
    await client.connect();
    checkBinding();
  } catch (error) {
    client.connection.stream.destroy();
    socket.destroy();
    throw error;
  } finally {
    options.signal?.removeEventListener('abort', abort);
  }
  return { client, host, address, parameters };
}

/**
 * Shows no password to a server that does not prove by SCRAM that it is the end of the TLS connection.
 * @returns to be called when the login has succeeded; throws when the server has proven nothing
 */
function requireChannelBinding(client: pg.Client, encrypted: boolean, description: string): () => void {
  let offered = false;
  let proven = false;
  const { connection } = client;
  const reason = 'channel_binding=require, and the server does not bind the login to the TLS connection';
  const error = new DatabaseError(`could not connect to ${description}: ${reason}`, {
    hint: encrypted ? undefined : 'Use TLS: sslmode=require or a stronger one.',
  });
  const refuse = (): void => {
    connection.stream.destroy(error);
  };
  // Before the listeners of node-postgres, which answer.
  connection.prependListener('authenticationCleartextPassword', refuse);
  connection.prependListener('authenticationMD5Password', refuse);
  connection.prependListener('authenticationSASL', ({ mechanisms }: { mechanisms: string[] }) => {
    offered = encrypted && mechanisms.includes('SCRAM-SHA-256-PLUS');
    if (!offered) refuse();
  });
  connection.on('authenticationSASLFinal', () => {
    proven = offered;
  });
  return () => {
    if (!proven) throw error;
  };
}

async function hasAttributes(client: pg.Client, wanted: TargetSessionAttributes): Promise<boolean> {
  if (wanted === 'any') return true;
  const { rows } = await client.query<{ standby: boolean; read_only: boolean }>(
    `select pg_catalog.pg_is_in_recovery() as standby,
      pg_catalog.current_setting('transaction_read_only')::pg_catalog.bool as read_only`,
  );
  const [row] = rows;
  if (row === undefined) return false;
  const { standby, read_only: readOnly } = row;
  if (wanted === 'read-write') return !readOnly;
  if (wanted === 'read-only') return readOnly;
  return wanted === 'primary' ? !standby : standby;
}

/** Connects where it is told and not where node-postgres says, which knows the host's name only. */
class DirectedSocket extends Socket {
  readonly #target: { path: string } | { host: string; port: number };

  constructor(target: { path: string } | { host: string; port: number }) {
    super();
    this.#target = target;
  }

  override connect(): this {
    return super.connect(this.#target);
  }
}

function socketPath(host: HostSettings): string {
  const directory = host.host.startsWith('@') ? `\0${host.host.slice(1)}` : host.host;
  return `${directory}/.s.PGSQL.${host.port}`;
}

function shuffle<T>(list: readonly T[]): T[] {
  return list
    .map((item) => ({ item, order: Math.random() }))
    .sort((a, b) => a.order - b.order)
    .map(({ item }) => item);
}

async function withTimeLimit<T>(work: Promise<T>, seconds: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('timeout expired')), seconds * 1000);
  });
  try {
    return await Promise.race([work, limit]);
  } finally {
    clearTimeout(timer);
  }
}
