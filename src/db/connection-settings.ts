import { existsSync } from 'node:fs';
import path from 'node:path';
import { UsageError } from '../errors.js';
import { readService } from './service-file.js';

/** What the process knows about its surroundings; only the command line reads it from the operating system. */
export interface Environment {
  /** The environment variables, as in process.env. */
  readonly variables: Readonly<Record<string, string | undefined>>;
  /** The user's home directory; undefined when there is none. */
  readonly homeDirectory: string | undefined;
  /** The name of the operating system's user: the default role; undefined when it is not known. */
  readonly userName: string | undefined;
}

export interface HostSettings {
  /** Host name, IP address without brackets, or (beginning with / or @) the directory of a Unix socket. */
  readonly host: string;
  /** IP address to connect to instead of looking `host` up; `host` is still what a certificate is checked against. */
  readonly address: string | undefined;
  readonly port: number;
}

const sslModes = ['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full'] as const;
const sessionAttributes = ['any', 'read-write', 'read-only', 'primary', 'standby', 'prefer-standby'] as const;
const channelBindings = ['disable', 'prefer', 'require'] as const;
const protocolVersions = ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'] as const;

export type SslMode = (typeof sslModes)[number];
export type TargetSessionAttributes = (typeof sessionAttributes)[number];

/** Everything needed to connect to one database, in libpq's meaning. Undefined: not given, and there is no default. */
export interface ConnectionSettings {
  /** To be tried in this order; never empty. */
  readonly hosts: readonly HostSettings[];
  readonly database: string;
  readonly user: string;
  /** Undefined: looked up in the password file when the server asks. */
  readonly password: string | undefined;
  /** Path of the password file, which need not exist. */
  readonly passwordFile: string | undefined;
  readonly sslmode: SslMode;
  readonly sslnegotiation: 'postgres' | 'direct';
  /** Path, or `system` for the certificate authorities that the system trusts. */
  readonly sslrootcert: string | undefined;
  readonly sslcert: string | undefined;
  readonly sslkey: string | undefined;
  readonly sslpassword: string | undefined;
  readonly sslcrl: string | undefined;
  readonly sslcertmode: 'disable' | 'allow' | 'require';
  readonly sslMinimumVersion: (typeof protocolVersions)[number] | undefined;
  readonly sslMaximumVersion: (typeof protocolVersions)[number] | undefined;
  /** Where libpq looks for root.crt, postgresql.crt, postgresql.key and root.crl when nothing else is said. */
  readonly sslDirectory: string | undefined;
  readonly channelBinding: (typeof channelBindings)[number];
  /** For each address that is tried. */
  readonly connectTimeoutSeconds: number;
  readonly targetSessionAttrs: TargetSessionAttributes;
  readonly loadBalanceHosts: boolean;
  readonly applicationName: string;
  /** Command line options for the server, such as `-c statement_timeout=0`. */
  readonly options: string | undefined;
  readonly keepalives: boolean;
  readonly keepalivesIdleSeconds: number;
  readonly keepalivesIntervalSeconds: number;
  readonly keepalivesCount: number;
  readonly tcpUserTimeoutMilliseconds: number;
}

/** libpq waits for ever by default; a program that cron starts must not. */
const defaultConnectTimeoutSeconds = 30;

/**
 * The connection keywords of libpq and the environment variable of each. `refused` marks those that node-postgres
 * cannot honour and that would be dangerous to ignore; the others without a use here change nothing that matters.
 */
const keywords = new Map<string, { variable?: string; refused?: (value: string) => boolean }>([
  ['service', { variable: 'PGSERVICE' }],
  ['host', { variable: 'PGHOST' }],
  ['hostaddr', { variable: 'PGHOSTADDR' }],
  ['port', { variable: 'PGPORT' }],
  ['dbname', { variable: 'PGDATABASE' }],
  ['user', { variable: 'PGUSER' }],
  ['password', { variable: 'PGPASSWORD' }],
  ['passfile', { variable: 'PGPASSFILE' }],
  ['connect_timeout', { variable: 'PGCONNECT_TIMEOUT' }],
  ['client_encoding', { variable: 'PGCLIENTENCODING' }],
  ['options', { variable: 'PGOPTIONS' }],
  ['application_name', { variable: 'PGAPPNAME' }],
  ['fallback_application_name', {}],
  ['keepalives', {}],
  ['keepalives_idle', {}],
  ['keepalives_interval', {}],
  ['keepalives_count', {}],
  ['tcp_user_timeout', {}],
  ['replication', { refused: (value) => !['', '0', 'off', 'false', 'no'].includes(value) }],
  ['channel_binding', { variable: 'PGCHANNELBINDING' }],
  ['require_auth', { variable: 'PGREQUIREAUTH', refused: (value) => value !== '' }],
  ['requirepeer', { variable: 'PGREQUIREPEER', refused: (value) => value !== '' }],
  ['sslmode', { variable: 'PGSSLMODE' }],
  ['sslnegotiation', { variable: 'PGSSLNEGOTIATION' }],
  ['sslcompression', { variable: 'PGSSLCOMPRESSION' }],
  ['sslcert', { variable: 'PGSSLCERT' }],
  ['sslkey', { variable: 'PGSSLKEY' }],
  ['sslpassword', {}],
  ['sslcertmode', { variable: 'PGSSLCERTMODE' }],
  ['sslrootcert', { variable: 'PGSSLROOTCERT' }],
  ['sslcrl', { variable: 'PGSSLCRL' }],
  ['sslcrldir', { variable: 'PGSSLCRLDIR', refused: (value) => value !== '' }],
  ['sslsni', { variable: 'PGSSLSNI' }],
  ['ssl_min_protocol_version', { variable: 'PGSSLMINPROTOCOLVERSION' }],
  ['ssl_max_protocol_version', { variable: 'PGSSLMAXPROTOCOLVERSION' }],
  ['min_protocol_version', { variable: 'PGMINPROTOCOLVERSION' }],
  ['max_protocol_version', { variable: 'PGMAXPROTOCOLVERSION' }],
  ['gssencmode', { variable: 'PGGSSENCMODE', refused: (value) => value === 'require' }],
  ['krbsrvname', { variable: 'PGKRBSRVNAME' }],
  ['gsslib', { variable: 'PGGSSLIB' }],
  ['gssdelegation', { variable: 'PGGSSDELEGATION' }],
  ['target_session_attrs', { variable: 'PGTARGETSESSIONATTRS' }],
  ['load_balance_hosts', { variable: 'PGLOADBALANCEHOSTS' }],
]);

const uriHint =
  'In a URI write the characters @ : / ? # % and space of a user name or password as %40 %3A %2F %3F %23 %25 and %20; ' +
  'or give the connection as key=value pairs.';

/**
 * Reads a connection as libpq does: a URI, `key=value` pairs or `service=NAME`, or the name of a database alone;
 * undefined or empty means what the environment says. What is given explicitly comes before the service file, that before the environment, that before
 * the defaults. Service files are read here, password files only when a server asks for a password.
 *
 * @throws UsageError when the text cannot be understood, names an unknown keyword, service or value, or asks for
 * something that is not supported. Its message never repeats what might be a part of a password.
 */
export function parseConnection(text: string | undefined, environment: Environment): ConnectionSettings {
  const values = parseText(text ?? '');
  const service = values.get('service') ?? environment.variables.PGSERVICE;
  if (service) addService(values, service, environment);
  for (const [keyword, { variable }] of keywords) {
    const value = variable === undefined ? undefined : environment.variables[variable];
    if (value !== undefined && !values.has(keyword)) values.set(keyword, value);
  }
  for (const [keyword, value] of values) {
    if (keywords.get(keyword)?.refused?.(value)) {
      throw new UsageError(`the connection setting ${keyword} is not supported`, {
        hint: `Remove ${keyword} from the connection, the service file or the environment.`,
      });
    }
  }
  return resolveSettings(values, environment);
}

/** What a person needs to recognise a connection: "test on db.example.org:5432 as alice". Never a password. */
export function describeConnection(settings: Pick<ConnectionSettings, 'hosts' | 'database' | 'user'>): string {
  const hosts = settings.hosts.map(({ host, port }) => `${host.includes(':') ? `[${host}]` : host}:${port}`);
  return `${settings.database} on ${hosts.join(', ')} as ${settings.user}`;
}

/** The settings as a conninfo of libpq, which `parseConnection` and psql understand; with the password only on demand. */
export function toConninfo(settings: ConnectionSettings, options: { password: boolean }): string {
  const values = new Map(toKeywordValues(settings));
  if (options.password && settings.password !== undefined) values.set('password', settings.password);
  if (options.password && settings.sslpassword !== undefined) values.set('sslpassword', settings.sslpassword);
  const quote = (value: string): string =>
    /^[\w./:@,+-]+$/.test(value) ? value : `'${value.replace(/[\\']/g, (character) => `\\${character}`)}'`;
  return [...values].map(([keyword, value]) => `${keyword}=${quote(value)}`).join(' ');
}

/**
 * The options of a foreign server of dblink_fdw and of its user mapping, so that one database reaches another with these
 * settings. The server waits no longer than connect_timeout, notices a silent network, and starts each session with an
 * empty search_path. A password from a password file is not included: see `findPassword`.
 */
export function toForeignServerOptions(settings: ConnectionSettings): {
  server: Record<string, string>;
  userMapping: Record<string, string>;
} {
  const server = Object.fromEntries(toKeywordValues(settings));
  delete server.user;
  server.options = [settings.options, '-csearch_path='].filter(Boolean).join(' ');
  const userMapping: Record<string, string> = { user: settings.user };
  if (settings.password !== undefined) userMapping.password = settings.password;
  if (settings.sslpassword !== undefined) userMapping.sslpassword = settings.sslpassword;
  return { server, userMapping };
}

/** All keywords but the secret ones. Those that only newer versions of libpq know appear only when they were asked for. */
function toKeywordValues(settings: ConnectionSettings): [string, string][] {
  const { hosts } = settings;
  const addresses = hosts.map(({ address }) => address ?? '').join(',');
  const values: [string, string | undefined][] = [
    ['host', hosts.map(({ host }) => host).join(',')],
    ['hostaddr', hosts.some(({ address }) => address) ? addresses : undefined],
    ['port', hosts.map(({ port }) => port).join(',')],
    ['dbname', settings.database],
    ['user', settings.user],
    ['sslmode', settings.sslmode],
    ['sslnegotiation', settings.sslnegotiation === 'postgres' ? undefined : settings.sslnegotiation],
    ['sslrootcert', settings.sslrootcert],
    ['sslcert', settings.sslcert],
    ['sslkey', settings.sslkey],
    ['sslcrl', settings.sslcrl],
    ['sslcertmode', settings.sslcertmode === 'allow' ? undefined : settings.sslcertmode],
    ['ssl_min_protocol_version', settings.sslMinimumVersion],
    ['ssl_max_protocol_version', settings.sslMaximumVersion],
    ['channel_binding', settings.channelBinding === 'prefer' ? undefined : settings.channelBinding],
    ['connect_timeout', String(settings.connectTimeoutSeconds)],
    ['target_session_attrs', settings.targetSessionAttrs === 'any' ? undefined : settings.targetSessionAttrs],
    ['load_balance_hosts', settings.loadBalanceHosts ? 'random' : undefined],
    ['application_name', settings.applicationName],
    ['options', settings.options],
    ['keepalives', settings.keepalives ? '1' : '0'],
    ['keepalives_idle', String(settings.keepalivesIdleSeconds)],
    ['keepalives_interval', String(settings.keepalivesIntervalSeconds)],
    ['keepalives_count', String(settings.keepalivesCount)],
    ['tcp_user_timeout', String(settings.tcpUserTimeoutMilliseconds)],
  ];
  return values.filter((pair): pair is [string, string] => pair[1] !== undefined);
}

function parseText(text: string): Map<string, string> {
  const trimmed = text.trim();
  if (/^postgres(ql)?:\/\//.test(trimmed)) return parseUri(trimmed);
  if (trimmed === '') return new Map();
  if (text.includes('=')) return parseKeyValues(text);
  if (/^[a-z]+:/i.test(trimmed)) {
    throw new UsageError('the connection is not a URI of PostgreSQL', {
      hint: 'It looks like postgresql://user@host:5432/database.',
    });
  }
  // As psql does.
  return new Map([['dbname', trimmed]]);
}

/** Fills in what the service file says about keywords that were not given. */
function addService(values: Map<string, string>, service: string, environment: Environment): void {
  for (const [keyword, value] of readService(service, environment)) {
    if (!keywords.has(keyword)) {
      throw new UsageError(`the service "${service}" has an unknown connection keyword "${keyword}"`);
    }
    if (!values.has(keyword)) values.set(keyword, value);
  }
}

/** `key=value key = 'quoted \' value'`, by the rules of libpq's PQconninfoParse. */
function parseKeyValues(text: string): Map<string, string> {
  const values = new Map<string, string>();
  // Only these characters are space to libpq; \s has more of them, and a password may too.
  const pattern =
    /[ \t\n\v\f\r]*([^= \t\n\v\f\r]+)[ \t\n\v\f\r]*(=?)[ \t\n\v\f\r]*(?:'((?:[^'\\]|\\[\s\S])*)('?)|((?:[^\\ \t\n\v\f\r]|\\[\s\S]?)*))/y;
  while (/[^ \t\n\v\f\r]/.test(text.slice(pattern.lastIndex))) {
    const start = pattern.lastIndex;
    const match = pattern.exec(text);
    const [, keyword, equals, quoted, closing, plain] = match ?? [];
    // What stands here may be the rest of a password with a space in it: name the place, not the word.
    if (keyword === undefined || equals !== '=') {
      throw new UsageError(`the connection is not of the form key=value at character ${start + 1}`, {
        hint: "Give a URI (postgresql://...), key=value pairs or service=NAME; quote a value with spaces: password='a b'.",
      });
    }
    if (quoted !== undefined && closing !== "'") {
      throw new UsageError(`the quoted value of the connection keyword "${keyword}" does not end`, {
        hint: "Close it with ', and write ' and \\ within it as \\' and \\\\.",
      });
    }
    checkKeyword(keyword);
    values.set(keyword, (quoted ?? plain ?? '').replace(/\\([\s\S]?)/g, '$1'));
  }
  return values;
}

/** `postgresql://[user[:password]@][host][:port][,...][/dbname][?key=value&...]`, by the rules of libpq. */
function parseUri(text: string): Map<string, string> {
  const values = new Map<string, string>();
  const set = (keyword: string, raw: string | undefined): void => {
    if (raw) values.set(keyword, decodePercent(raw));
  };
  let rest = text.slice(text.indexOf('://') + 3);
  // libpq looks for the "@" of the user's part no further than the first "/".
  const userinfo = /^([^@/]*)@/.exec(rest)?.[1];
  if (userinfo !== undefined) {
    rest = rest.slice(userinfo.length + 1);
    const colon = userinfo.indexOf(':');
    set('user', colon < 0 ? userinfo : userinfo.slice(0, colon));
    if (colon >= 0) set('password', userinfo.slice(colon + 1));
  }
  const hosts: string[] = [];
  const ports: string[] = [];
  for (;;) {
    const match = /^(?:\[([^\]]+)\]|([^:/?,[\]]*))(?::([^/?,]*))?(?=[,/?]|$)/.exec(rest);
    if (match === null) throw new UsageError('the host of the connection URI cannot be read', { hint: uriHint });
    hosts.push(match[1] ?? match[2] ?? '');
    ports.push(match[3] ?? '');
    rest = rest.slice(match[0].length);
    if (!rest.startsWith(',')) break;
    rest = rest.slice(1);
  }
  if (ports.some((port) => port !== '' && !isPort(decodePercent(port)))) {
    throw new UsageError('the port of the connection URI is not a number between 1 and 65535', { hint: uriHint });
  }
  set('host', hosts.join(','));
  set('port', ports.join(','));
  const [, database, query] = /^(?:\/([^?]*))?(?:\?(.*))?$/s.exec(rest) ?? [];
  set('dbname', database);
  for (const parameter of query ? query.replace(/&$/, '').split('&') : []) {
    const parts = parameter.split('=');
    if (parts.length !== 2) {
      throw new UsageError('the connection URI has a parameter that is not of the form key=value', { hint: uriHint });
    }
    const [keyword, value] = parts.map(decodePercent) as [string, string];
    // The spelling of JDBC, which libpq understands too.
    if (keyword === 'ssl' && value === 'true') {
      values.set('sslmode', 'require');
      continue;
    }
    checkKeyword(keyword);
    values.set(keyword, value);
  }
  return values;
}

function checkKeyword(keyword: string): void {
  if (keywords.has(keyword)) return;
  throw new UsageError(`"${keyword}" is not a connection keyword`, {
    hint: 'The keywords are those of libpq, such as host, port, dbname, user, password, sslmode and service.',
  });
}

function decodePercent(text: string): string {
  if (/%(?![0-9a-f]{2})/i.test(text) || text.includes('%00')) {
    throw new UsageError('the connection URI has a "%" that is not followed by two hexadecimal digits', {
      hint: uriHint,
    });
  }
  try {
    return decodeURIComponent(text);
  } catch {
    throw new UsageError('the connection URI has percent-encoded bytes that are not UTF-8', { hint: uriHint });
  }
}

function resolveSettings(values: ReadonlyMap<string, string>, environment: Environment): ConnectionSettings {
  // An empty value means the default, as in libpq.
  const get = (keyword: string): string | undefined => values.get(keyword) || undefined;
  const choose = <T extends string>(keyword: string, allowed: readonly T[], fallback: T): T => {
    const value = get(keyword);
    if (value === undefined) return fallback;
    if (!(allowed as readonly string[]).includes(value)) {
      throw new UsageError(`"${value}" is not a value of the connection setting ${keyword}`, {
        hint: `Use one of ${allowed.join(', ')}.`,
      });
    }
    return value as T;
  };
  const number = (keyword: string, fallback: number): number => {
    const value = get(keyword);
    if (value === undefined) return fallback;
    if (!/^[+-]?\d{1,9}$/.test(value.trim())) {
      throw new UsageError(`"${value}" is not a value of the connection setting ${keyword}`, { hint: 'Use a number.' });
    }
    return Number(value);
  };
  const positive = (keyword: string, fallback: number): number => {
    const value = number(keyword, fallback);
    return value > 0 ? value : fallback;
  };
  const protocolVersion = (keyword: string) =>
    get(keyword) === undefined ? undefined : choose(keyword, protocolVersions, 'TLSv1.2');

  const user = get('user') ?? environment.userName;
  if (user === undefined) {
    throw new UsageError('the connection names no user', {
      hint: 'Add user=... or set the environment variable PGUSER.',
    });
  }
  const settings: ConnectionSettings = {
    hosts: resolveHosts(get('host'), get('hostaddr'), get('port')),
    database: get('dbname') ?? user,
    user,
    password: get('password'),
    passwordFile: get('passfile') ?? defaultPasswordFile(environment),
    sslmode: choose('sslmode', sslModes, get('sslrootcert') === 'system' ? 'verify-full' : 'prefer'),
    sslnegotiation: choose('sslnegotiation', ['postgres', 'direct'], 'postgres'),
    sslrootcert: get('sslrootcert'),
    sslcert: get('sslcert'),
    sslkey: get('sslkey'),
    sslpassword: get('sslpassword'),
    sslcrl: get('sslcrl'),
    sslcertmode: choose('sslcertmode', ['disable', 'allow', 'require'], 'allow'),
    sslMinimumVersion: protocolVersion('ssl_min_protocol_version'),
    sslMaximumVersion: protocolVersion('ssl_max_protocol_version'),
    sslDirectory: postgresqlDirectory(environment),
    channelBinding: choose('channel_binding', channelBindings, 'prefer'),
    connectTimeoutSeconds: positive('connect_timeout', defaultConnectTimeoutSeconds),
    targetSessionAttrs: choose('target_session_attrs', sessionAttributes, 'any'),
    loadBalanceHosts: choose('load_balance_hosts', ['disable', 'random'], 'disable') === 'random',
    applicationName: get('application_name') ?? get('fallback_application_name') ?? 'lizsync',
    options: get('options'),
    keepalives: number('keepalives', 1) !== 0,
    keepalivesIdleSeconds: positive('keepalives_idle', 30),
    keepalivesIntervalSeconds: positive('keepalives_interval', 10),
    keepalivesCount: positive('keepalives_count', 3),
    tcpUserTimeoutMilliseconds: positive('tcp_user_timeout', 60_000),
  };
  if (settings.sslrootcert === 'system' && settings.sslmode !== 'verify-full') {
    throw new UsageError(`sslmode ${settings.sslmode} is too weak for sslrootcert=system`, {
      hint: 'Anybody can get a certificate from a public authority: use sslmode=verify-full.',
    });
  }
  if (settings.sslnegotiation === 'direct' && !['require', 'verify-ca', 'verify-full'].includes(settings.sslmode)) {
    throw new UsageError(`sslmode ${settings.sslmode} is too weak for sslnegotiation=direct`, {
      hint: 'Use sslmode=require or a stronger one.',
    });
  }
  return settings;
}

function resolveHosts(host: string | undefined, address: string | undefined, port: string | undefined): HostSettings[] {
  const split = (list: string | undefined): string[] => (list === undefined ? [] : list.split(','));
  const [hosts, addresses, ports] = [split(host), split(address), split(port)];
  const count = Math.max(hosts.length, addresses.length, 1);
  if (hosts.length > 0 && addresses.length > 0 && hosts.length !== addresses.length) {
    throw new UsageError(`the connection has ${hosts.length} hosts but ${addresses.length} values of hostaddr`);
  }
  if (ports.length > 1 && ports.length !== count) {
    throw new UsageError(`the connection has ${count} hosts but ${ports.length} ports`, {
      hint: 'Give one port for all hosts, or one for each.',
    });
  }
  return Array.from({ length: count }, (_, index) => {
    const portText = (ports.length > 1 ? ports[index] : ports[0])?.trim() || '5432';
    if (!isPort(portText)) throw new UsageError('the port of the connection is not a number between 1 and 65535');
    const portNumber = Number(portText);
    const hostAddress = addresses[index]?.trim() || undefined;
    return {
      host: hosts[index]?.trim() || hostAddress || findLocalHost(portNumber),
      address: hostAddress,
      port: portNumber,
    };
  });
}

function isPort(text: string): boolean {
  return /^\d{1,5}$/.test(text) && Number(text) >= 1 && Number(text) <= 65_535;
}

/** Without a host libpq uses the socket directory it was built with, which differs by distribution: take what is there. */
function findLocalHost(port: number): string {
  const directories = process.platform === 'win32' ? [] : ['/var/run/postgresql', '/tmp'];
  return directories.find((directory) => existsSync(`${directory}/.s.PGSQL.${port}`)) ?? 'localhost';
}

/** The directory of the user's certificates: ~/.postgresql, on Windows %APPDATA%\postgresql. */
function postgresqlDirectory(environment: Environment): string | undefined {
  if (process.platform === 'win32') {
    const { APPDATA } = environment.variables;
    return APPDATA ? path.join(APPDATA, 'postgresql') : undefined;
  }
  return environment.homeDirectory ? path.join(environment.homeDirectory, '.postgresql') : undefined;
}

function defaultPasswordFile(environment: Environment): string | undefined {
  if (process.platform === 'win32') {
    const directory = postgresqlDirectory(environment);
    return directory ? path.join(directory, 'pgpass.conf') : undefined;
  }
  return environment.homeDirectory ? path.join(environment.homeDirectory, '.pgpass') : undefined;
}
