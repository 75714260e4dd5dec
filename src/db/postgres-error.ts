import pg from 'pg';
import { exitCodes, type FailureExitCode, LizsyncError, type LizsyncErrorOptions } from '../errors.js';

export interface ErrorContext {
  /** The connection for people, without a password, such as "central (test on localhost:5432 as alice)". */
  connection: string;
  /** What was being done, as it follows "could not": "connect", "commit the transaction"; undefined: a statement ran. */
  doing?: string | undefined;
}

interface DatabaseErrorOptions extends LizsyncErrorOptions {
  sqlstate?: string | undefined;
  isConnectionFailure?: boolean;
  where?: string | undefined;
  schema?: string | undefined;
  table?: string | undefined;
  column?: string | undefined;
  constraint?: string | undefined;
  position?: number | undefined;
}

/** A statement failed, or the connection to a database did. */
export class DatabaseError extends LizsyncError {
  override readonly name: string = 'DatabaseError';
  /** Undefined when the error does not come from the server. */
  readonly sqlstate: string | undefined;
  /** True when the connection is gone or never was: the work may be repeated on a new one. */
  readonly isConnectionFailure: boolean;
  /** Call stack of the server's functions. */
  readonly where: string | undefined;
  readonly schema: string | undefined;
  readonly table: string | undefined;
  readonly column: string | undefined;
  readonly constraint: string | undefined;
  /** Where in the statement the error lies, in characters from 1. */
  readonly position: number | undefined;

  constructor(message: string, options: DatabaseErrorOptions = {}) {
    super(message, options);
    this.sqlstate = options.sqlstate;
    this.isConnectionFailure = options.isConnectionFailure ?? false;
    this.where = options.where;
    this.schema = options.schema;
    this.table = options.table;
    this.column = options.column;
    this.constraint = options.constraint;
    this.position = options.position;
  }

  /** True when the same transaction may well succeed if it is tried again: serialization, deadlock, lock timeout. */
  get isRetryable(): boolean {
    return this.sqlstate !== undefined && ['40001', '40P01', '55P03'].includes(this.sqlstate);
  }
}

/** What a person can do about errors of the server whose own hint, if any, does not say. */
const serverHints = new Map([
  ['28P01', 'Check the user name and the password: in the connection, in PGPASSWORD or in ~/.pgpass.'],
  ['28000', "Check the user name and the sslmode, and the server's pg_hba.conf."],
  ['3D000', 'Check the name of the database, or create it.'],
  ['53300', 'Wait until others disconnect, or raise max_connections of the server.'],
  ['53400', 'Raise the limit that the message names in the configuration of the server.'],
  ['53100', 'Free space on the disk of the server.'],
  ['42501', 'Ask the owner of the object for the right that is missing, or connect as another user.'],
  ['25006', 'The server is a standby or set to read-only: connect to one that can be written to.'],
  ['57P03', 'The server is starting or stopping: try again in a moment.'],
  ['57P01', 'An administrator ended the connection, or the server is stopping: try again.'],
  ['57P02', 'The server has crashed: try again when it is back.'],
  ['55P03', 'Somebody else keeps a table or row locked: try again later.'],
  ['57014', 'Somebody, or a time limit of the server, cancelled the statement.'],
  ['40P01', 'Try again.'],
  ['40001', 'Try again.'],
  ['08P01', 'Is this the port of a PostgreSQL server? A connection pooler may refuse a startup parameter.'],
]);

const lizsyncExitCodes = new Map<string, FailureExitCode>([
  ['LZ002', exitCodes.usage],
  ['LZ004', exitCodes.alreadyRunning],
]);

/** Errors of the network and of TLS by Node's code: what to say, and what to do. */
const networkErrors = new Map<string, [message: string, hint: string]>([
  ['ECONNREFUSED', ['connection refused', 'Is the server running, and are host and port right?']],
  ['ENOENT', ['there is no such socket', 'Is the server running on this machine, and are directory and port right?']],
  ['EACCES', ['the socket may not be used by this user', 'Connect over TCP: host=localhost.']],
  ['ENOTFOUND', ['the host name is not known', 'Check the host name and the network.']],
  ['EAI_AGAIN', ['the host name cannot be looked up now', 'Check the network, then try again.']],
  ['ETIMEDOUT', ['no answer from the server', 'Check the network, then try again.']],
  ['EHOSTUNREACH', ['the host cannot be reached', 'Check the network, then try again.']],
  ['ENETUNREACH', ['the network cannot be reached', 'Check the network, then try again.']],
  ['ECONNRESET', ['the connection was cut', 'Check the network and the log of the server, then try again.']],
  ['EPIPE', ['the connection was cut', 'Check the network and the log of the server, then try again.']],
  ['CERT_HAS_EXPIRED', ["the server's certificate has expired", 'Renew the certificate of the server.']],
  ['CERT_REVOKED', ["the server's certificate has been revoked", 'Renew the certificate of the server.']],
  [
    'ERR_TLS_CERT_ALTNAME_INVALID',
    [
      "the server's certificate is for another host",
      'Connect with the name in the certificate, or check the chain only: sslmode=verify-ca.',
    ],
  ],
]);

const untrustedHint =
  'Name the certificate of its authority with sslrootcert=FILE, or trust those of the system: sslrootcert=system.';
for (const code of [
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'CERT_SIGNATURE_FAILURE',
  'CERT_UNTRUSTED',
]) {
  networkErrors.set(code, ["the server's certificate is not trusted", untrustedHint]);
}

/** What node-postgres reports without a code. */
const driverErrors: { pattern: RegExp; meaning: [message: string, hint: string] }[] = [
  {
    pattern: /^timeout expired$/,
    meaning: ['no answer from the server in time', 'Check host, port and network; connect_timeout is the limit.'],
  },
  {
    pattern: /^Connection terminated/,
    meaning: ['the server closed the connection', 'Check the log of the server, then try again.'],
  },
  {
    pattern: /^Client (has encountered a connection error|was closed)/,
    meaning: ['the connection was already lost', 'Check the network and the log of the server, then try again.'],
  },
  {
    pattern: /does not support SSL/,
    meaning: ['the server does not offer TLS', 'Turn on ssl on the server, or use a weaker sslmode.'],
  },
  {
    pattern: /establishing an SSL connection/,
    meaning: ['the server refused TLS', 'Is this the port of a PostgreSQL server?'],
  },
];

/**
 * Turns whatever node-postgres, the server or the network threw into an error for people. Errors raised by the functions
 * of lizsync (SQLSTATE class LZ) keep message, detail and hint as they are. Errors of ours are returned unchanged.
 */
export function toLizsyncError(error: unknown, context: ErrorContext): LizsyncError {
  if (error instanceof LizsyncError) return error;
  if (error instanceof pg.DatabaseError) return fromServer(error, context);
  const { message, code } = describe(error);
  const known =
    (code === undefined ? undefined : networkErrors.get(code)) ??
    driverErrors.find(({ pattern }) => pattern.test(message))?.meaning;
  const [text, hint] = known ?? [message];
  const { connection } = context;
  const failed = context.doing === undefined ? `the connection to ${connection} failed` : `could not ${context.doing}`;
  return new DatabaseError(redactSecrets(`${failed}: ${text}`), {
    hint,
    details: [`database: ${connection}`, ...(code === undefined ? [] : [`code: ${code}`])],
    // What neither the network nor the driver says about a connection leaves it as it is: a value that cannot be sent.
    isConnectionFailure: code !== undefined || known !== undefined,
    cause: error,
  });
}

function fromServer(error: pg.DatabaseError, context: ErrorContext): DatabaseError {
  const { code: sqlstate, detail, hint, where } = error;
  const isOurs = sqlstate?.startsWith('LZ') ?? false;
  const exitCode = sqlstate === undefined ? undefined : lizsyncExitCodes.get(sqlstate);
  const details = isOurs
    ? [detail]
    : [detail, where && `context: ${where}`, `database: ${context.connection}`, `SQLSTATE ${sqlstate ?? 'unknown'}`];
  const doing = context.doing === undefined || isOurs ? '' : `could not ${context.doing}: `;
  return new DatabaseError(redactSecrets(`${doing}${error.message}`), {
    hint: redactOptional(hint ?? (sqlstate === undefined ? undefined : serverHints.get(sqlstate))),
    details: details.filter((line): line is string => Boolean(line)).map(redactSecrets),
    ...(exitCode === undefined ? {} : { exitCode }),
    sqlstate,
    isConnectionFailure: isLost(error),
    where: redactOptional(where),
    schema: error.schema,
    table: error.table,
    column: error.column,
    constraint: error.constraint,
    position: error.position === undefined ? undefined : Number(error.position),
  });
}

/**
 * Whether the server ended the session with this error, or never began it for a reason that may pass. A function that
 * talks to another server passes that one's SQLSTATE on as a plain error; the severity is in the server's language.
 */
function isLost({ code = '', severity }: pg.DatabaseError): boolean {
  return severity !== 'ERROR' && /^(57P0[1-5]|25P03|25P04|53300)$/.test(code);
}

function describe(error: unknown): { message: string; code: string | undefined } {
  if (!(error instanceof Error)) return { message: String(error), code: undefined };
  const { code } = error as NodeJS.ErrnoException;
  return { message: error.message || code || error.name, code };
}

function redactOptional(text: string | undefined): string | undefined {
  return text === undefined ? undefined : redactSecrets(text);
}

/** The server quotes statements in its messages, and some statements hold a password. */
function redactSecrets(text: string): string {
  return text
    .replace(/(password\s*=?\s*)(e?'(?:[^'\\]|''|\\.)*'|"(?:[^"]|"")*")/gi, "$1'***'")
    .replace(/(password\s*=\s*)(?!')[^\s"';]+/gi, '$1***')
    .replace(/(postgres(?:ql)?:\/\/[^\s:@/]*:)[^\s@/]*@/gi, '$1***@');
}
