import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type ConnectionSettings,
  describeConnection,
  parseConnection,
  toConninfo,
  toForeignServerOptions,
} from '../../src/db/connection-settings.js';
import { UsageError } from '../../src/errors.js';

let directory: string;
let home: string;

beforeAll(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'lizsync-settings-'));
  home = path.join(directory, 'home');
  mkdirSync(home);
});

afterAll(() => rmSync(directory, { recursive: true, force: true }));

function parse(text?: string, variables: Record<string, string> = {}): ConnectionSettings {
  return parseConnection(text, { variables, homeDirectory: home, userName: 'osuser' });
}

function getError(text: string, variables: Record<string, string> = {}): UsageError {
  try {
    parse(text, variables);
  } catch (error) {
    expect(error).toBeInstanceOf(UsageError);
    return error as UsageError;
  }
  throw new Error(`no error for ${text}`);
}

function hostsOf(text: string, variables?: Record<string, string>): string[] {
  return parse(text, variables).hosts.map(({ host, port }) => `${host} ${port}`);
}

describe('a URI', () => {
  it('has all its parts read', () => {
    const settings = parse('postgresql://alice:secret@db.example.org:5433/field?sslmode=require&connect_timeout=7');
    expect(settings).toMatchObject({
      hosts: [{ host: 'db.example.org', port: 5433, address: undefined }],
      database: 'field',
      user: 'alice',
      password: 'secret',
      sslmode: 'require',
      connectTimeoutSeconds: 7,
    });
  });

  it('may begin with postgres:// and leave everything out', () => {
    const settings = parse('postgres://');
    expect(settings).toMatchObject({ database: 'osuser', user: 'osuser', password: undefined, sslmode: 'prefer' });
    expect(settings.hosts).toHaveLength(1);
    expect(settings.hosts[0]?.port).toBe(5432);
  });

  it('takes the name of the user as the name of the database', () => {
    expect(parse('postgresql://alice@h').database).toBe('alice');
  });

  it('has percent-encoded characters in each part', () => {
    const password = '@:/?#% ä\'"\\&=+';
    const text = `postgresql://us%40er:${encodeURIComponent(password)}@h/d%2Fb%20%3F?application_name=a%26b%3Dc`;
    expect(parse(text)).toMatchObject({ user: 'us@er', password, database: 'd/b ?', applicationName: 'a&b=c' });
  });

  it('may have : ? and # in the password as they are, as in libpq', () => {
    expect(parse('postgresql://u:a:b?c#d@h/x')).toMatchObject({ password: 'a:b?c#d', database: 'x' });
  });

  it('keeps a plus sign, which means a space only in web forms', () => {
    expect(parse('postgresql://u:a+b@h/x')).toMatchObject({ password: 'a+b' });
  });

  it('has IPv6 addresses in brackets', () => {
    expect(hostsOf('postgresql://[2001:db8::1]:5433/x')).toEqual(['2001:db8::1 5433']);
    expect(hostsOf('postgresql://u@[::1]/x')).toEqual(['::1 5432']);
    expect(describeConnection(parse('postgresql://u@[::1]/x'))).toBe('x on [::1]:5432 as u');
  });

  it('may name several hosts, each with its port', () => {
    expect(hostsOf('postgresql://a:1,b,[::1]:3/x')).toEqual(['a 1', 'b 5432', '::1 3']);
    expect(hostsOf('postgresql://a,b/x?port=7')).toEqual(['a 7', 'b 7']);
  });

  it('may name a socket directory', () => {
    expect(hostsOf('postgresql://%2Fvar%2Frun%2Fpg:5433/x')).toEqual(['/var/run/pg 5433']);
    expect(hostsOf('postgresql:///x?host=/var/run/pg&port=5433')).toEqual(['/var/run/pg 5433']);
  });

  it('may have parameters without a database', () => {
    expect(parse('postgresql://h?user=bob&password=a%20b')).toMatchObject({
      user: 'bob',
      password: 'a b',
      database: 'bob',
    });
  });

  it('has parameters that win over what stands before them', () => {
    expect(parse('postgresql://alice@h/x?user=bob&dbname=y&host=i')).toMatchObject({ user: 'bob', database: 'y' });
  });

  it('may end with &', () => {
    expect(parse('postgresql://h/x?user=bob&').user).toBe('bob');
  });

  it('understands ssl=true as JDBC writes it', () => {
    expect(parse('postgresql://h/x?ssl=true').sslmode).toBe('require');
  });

  it.each([
    ['postgresql://u:s3cr/et@h/x'],
    ['postgresql://u:s3cr%et@h/x'],
    ['postgresql://u:s3cret%ff@h/x'],
    ['postgresql://u:s3cret%00@h/x'],
    ['postgresql://u:s3cret@h:s3cret/x'],
    ['postgresql://u:s3cret@h:70000/x'],
    ['postgresql://u:s3cret@[::1/x'],
    ['postgresql://u:s3cret@[]/x'],
    ['postgresql://u@h/x?s3cret'],
    ['postgresql://u@h/x?password=a=s3cret'],
  ])('is refused when it cannot be read, without showing a part of the password: %s', (text) => {
    const error = getError(text);
    expect(`${error.message} ${error.hint} ${error.details}`).not.toMatch(/s3cr|70000/);
    expect(error.hint).toContain('%40');
    expect(error.exitCode).toBe(2);
  });

  it('is refused with an unknown parameter, naming it', () => {
    expect(getError('postgresql://h/x?sslmod=require').message).toContain('"sslmod"');
    expect(getError('postgresql://h/x?constructor=1').message).toContain('"constructor"');
  });

  it('of another kind is refused', () => {
    expect(getError('http://h/x').message).toContain('not a URI');
    expect(getError('postgresql:/h/x').message).toContain('not a URI');
  });
});

describe('key=value pairs', () => {
  it('are read', () => {
    expect(parse('host=h port=5433 dbname=x user=alice password=secret')).toMatchObject({
      hosts: [{ host: 'h', port: 5433 }],
      database: 'x',
      user: 'alice',
      password: 'secret',
    });
  });

  it('may be quoted, with backslashes before quotes and backslashes', () => {
    expect(parse("password='a b\\'c\\\\d=e' dbname = 'my db'  host= h")).toMatchObject({
      password: "a b'c\\d=e",
      database: 'my db',
      hosts: [{ host: 'h' }],
    });
  });

  it('may have backslashes before spaces and quotes without quotes around them', () => {
    expect(parse("password=a\\ b\\'c\\\\ user=u")).toMatchObject({ password: "a b'c\\", user: 'u' });
    expect(parse('user=u password=ends\\ ')).toMatchObject({ password: 'ends ' });
  });

  it('may have @ : / ? # % ; in a value', () => {
    expect(parse('user=u password=@:/?#%;"&')).toMatchObject({ password: '@:/?#%;"&' });
  });

  it('may stand on several lines', () => {
    expect(parse('\n  host=h\n\tuser=u\n')).toMatchObject({ user: 'u' });
  });

  it('read the next word as the value after a "=" at the end, as libpq does', () => {
    expect(parse('dbname= user=x').database).toBe('user=x');
  });

  it("may be empty, which means the default, and not the environment's value", () => {
    expect(parse("dbname=x host='' port='' user=''", { PGHOST: 'env', PGPORT: '1', PGUSER: 'env' })).toMatchObject({
      user: 'osuser',
      hosts: [{ port: 5432 }],
    });
    expect(parse("options='' user=u", { PGOPTIONS: '-c a=b' }).options).toBeUndefined();
  });

  it('of which the last counts', () => {
    expect(parse('user=a user=b').user).toBe('b');
  });

  it('may hold several hosts, with one port for all or one for each', () => {
    expect(hostsOf('host=a,b,/tmp port=5433')).toEqual(['a 5433', 'b 5433', '/tmp 5433']);
    expect(hostsOf('host=a,b port=1,2')).toEqual(['a 1', 'b 2']);
    expect(hostsOf('host=a,b port=,2')).toEqual(['a 5432', 'b 2']);
    expect(getError('host=a,b port=1,2,3').message).toBe('the connection has 2 hosts but 3 ports');
  });

  it('may hold addresses beside host names', () => {
    expect(parse('host=a,b hostaddr=10.0.0.1,10.0.0.2').hosts).toEqual([
      { host: 'a', address: '10.0.0.1', port: 5432 },
      { host: 'b', address: '10.0.0.2', port: 5432 },
    ]);
    expect(parse('hostaddr=10.0.0.1').hosts).toEqual([{ host: '10.0.0.1', address: '10.0.0.1', port: 5432 }]);
    expect(getError('host=a hostaddr=10.0.0.1,10.0.0.2').message).toContain('1 hosts but 2 values of hostaddr');
  });

  it('are refused when they cannot be read, without showing a part of the password', () => {
    for (const text of ['password=my s3cret', "password='my s3cret", 'user=u password=my s3cret host=h', '=s3cret']) {
      const error = getError(text);
      expect(`${error.message} ${error.details}`).not.toContain('s3cret');
    }
    expect(getError('user=u password=my s3cret').message).toContain('at character 19');
    expect(getError("password='my s3cret").message).toContain('does not end');
  });

  it('are refused with an unknown keyword, naming it', () => {
    const error = getError('hots=h dbname=x');
    expect(error.message).toBe('"hots" is not a connection keyword');
    expect(error.hint).toContain('host');
  });

  it.each([
    ['sslmode=sure', /sslmode/],
    ['target_session_attrs=write', /target_session_attrs/],
    ['connect_timeout=soon', /connect_timeout/],
    ['port=0', /port/],
    ['port=65536', /port/],
    ['port=5432x', /port/],
    ['channel_binding=yes', /channel_binding/],
  ])('are refused with a wrong value: %s', (text, expected) => {
    expect(getError(text).message).toMatch(expected);
  });

  it.each([
    'require_auth=scram-sha-256',
    'requirepeer=postgres',
    'gssencmode=require',
    'replication=database',
    'sslcrldir=/x',
  ])('are refused where ignoring them would be dangerous: %s', (text) => {
    expect(getError(text).message).toContain(`${text.split('=')[0]} is not supported`);
  });

  it('of libpq that change nothing here are accepted', () => {
    expect(parse('gssencmode=prefer krbsrvname=x sslsni=1 client_encoding=LATIN1 replication=0 user=u').user).toBe('u');
  });
});

describe('a word alone', () => {
  it('is the name of a database, as for psql', () => {
    expect(parse('field').database).toBe('field');
  });
});

describe('the environment', () => {
  it('is all there is without a text', () => {
    const variables = {
      PGHOST: 'h',
      PGPORT: '5433',
      PGDATABASE: 'x',
      PGUSER: 'alice',
      PGPASSWORD: 'secret',
      PGSSLMODE: 'verify-full',
      PGSSLROOTCERT: '/root.crt',
      PGSSLCERT: '/c.crt',
      PGSSLKEY: '/c.key',
      PGCONNECT_TIMEOUT: '3',
      PGTARGETSESSIONATTRS: 'read-write',
      PGAPPNAME: 'app',
      PGOPTIONS: '-c geqo=off',
      PGHOSTADDR: '10.0.0.1',
      PGCHANNELBINDING: 'disable',
      PGPASSFILE: '/pass',
    };
    for (const text of [undefined, '', '  ']) {
      expect(parse(text, variables)).toMatchObject({
        hosts: [{ host: 'h', address: '10.0.0.1', port: 5433 }],
        database: 'x',
        user: 'alice',
        password: 'secret',
        passwordFile: '/pass',
        sslmode: 'verify-full',
        sslrootcert: '/root.crt',
        sslcert: '/c.crt',
        sslkey: '/c.key',
        connectTimeoutSeconds: 3,
        targetSessionAttrs: 'read-write',
        applicationName: 'app',
        options: '-c geqo=off',
        channelBinding: 'disable',
      });
    }
  });

  it('gives way to what is explicit', () => {
    expect(
      parse('postgresql://bob@i/y', { PGHOST: 'h', PGUSER: 'alice', PGPORT: '5433', PGPASSWORD: 'p' }),
    ).toMatchObject({
      hosts: [{ host: 'i', port: 5433 }],
      user: 'bob',
      database: 'y',
      password: 'p',
    });
  });

  it('that is empty leaves the defaults', () => {
    expect(parse()).toMatchObject({
      user: 'osuser',
      database: 'osuser',
      sslmode: 'prefer',
      connectTimeoutSeconds: 30,
      applicationName: 'lizsync',
      targetSessionAttrs: 'any',
      keepalives: true,
      passwordFile: path.join(home, '.pgpass'),
      sslDirectory: path.join(home, '.postgresql'),
    });
  });

  it('without a name of the user is refused', () => {
    const environment = { variables: {}, homeDirectory: undefined, userName: undefined };
    expect(() => parseConnection('host=h', environment)).toThrow(/names no user/);
  });
});

describe('a service', () => {
  const own = (): string => path.join(home, '.pg_service.conf');

  it('is read from ~/.pg_service.conf, with every value as it stands there', () => {
    writeFileSync(
      own(),
      [
        '# comment',
        '[other]',
        'host=wrong',
        '',
        '[central]',
        '  host=db.example.org  ',
        '# password=wrong',
        `password=a#b;c="d' \\e`,
        'dbname=field',
        'dbname=second',
        'options=-c geqo=off -c jit=off',
        '[central2]',
        'user=wrong',
      ].join('\r\n'),
    );
    for (const [text, variables] of [
      ['service=central', {}],
      ['postgresql://?service=central', {}],
      ['postgresql:///?service=central', {}],
      ['', { PGSERVICE: 'central' }],
    ] as [string, Record<string, string>][]) {
      expect(parse(text, variables)).toMatchObject({
        hosts: [{ host: 'db.example.org', port: 5432 }],
        password: `a#b;c="d' \\e`,
        database: 'field',
        options: '-c geqo=off -c jit=off',
        user: 'osuser',
      });
    }
  });

  it('gives way to what is explicit, and comes before the environment', () => {
    writeFileSync(own(), '[central]\nhost=h\nport=5433\ndbname=field\n');
    expect(parse('service=central dbname=mine', { PGPORT: '1', PGHOST: 'wrong', PGUSER: 'alice' })).toMatchObject({
      hosts: [{ host: 'h', port: 5433 }],
      database: 'mine',
      user: 'alice',
    });
    expect(parse('service=central', { PGSERVICE: 'wrong' }).database).toBe('field');
  });

  it('is read from the file that PGSERVICEFILE names', () => {
    const file = path.join(directory, 'services');
    writeFileSync(own(), '[central]\nhost=wrong\n');
    writeFileSync(file, '[central]\nhost=right\n');
    expect(hostsOf('service=central', { PGSERVICEFILE: file })).toEqual(['right 5432']);
  });

  it('is read from PGSYSCONFDIR when the user has none of that name', () => {
    writeFileSync(own(), '[mine]\nhost=mine\n');
    writeFileSync(path.join(directory, 'pg_service.conf'), '[central]\nhost=system\n[mine]\nhost=wrong\n');
    const variables = { PGSYSCONFDIR: directory };
    expect(hostsOf('service=central', variables)).toEqual(['system 5432']);
    expect(hostsOf('service=mine', variables)).toEqual(['mine 5432']);
  });

  it('that is nowhere defined is refused, naming it and the files', () => {
    writeFileSync(own(), '[mine]\nhost=mine\n');
    const error = getError('service=centrl', { PGSYSCONFDIR: '/nowhere' });
    expect(error.message).toBe('the service "centrl" is not defined');
    expect(error.hint).toContain(own());
  });

  it('file that is missing is refused', () => {
    expect(getError('service=x', { PGSERVICEFILE: '/nowhere/file' }).message).toContain('/nowhere/file');
  });

  it.each([
    ['host db\n', /line 2/],
    ['host = db\n', /line 2/],
    ['service=other\n', /another service/],
    ['hots=db\n', /"hots"/],
  ])('with a line that libpq refuses is refused: %j', (line, expected) => {
    writeFileSync(own(), `[central]\n${line}`);
    expect(getError('service=central').message).toMatch(expected);
  });
});

describe('TLS settings', () => {
  it('mean verify-full with the authorities of the system', () => {
    expect(parse('user=u sslrootcert=system').sslmode).toBe('verify-full');
    expect(getError('user=u sslrootcert=system sslmode=require').message).toContain('too weak');
  });

  it('allow direct negotiation only with a strong mode', () => {
    expect(getError('user=u sslnegotiation=direct').message).toContain('too weak');
    expect(parse('user=u sslnegotiation=direct sslmode=require').sslnegotiation).toBe('direct');
  });
});

describe('a description', () => {
  it('names database, hosts and user, and no password', () => {
    expect(describeConnection(parse('host=a,/tmp port=1,2 dbname=x user=u password=secret'))).toBe(
      'x on a:1, /tmp:2 as u',
    );
  });
});

describe('a conninfo made of settings', () => {
  it('means the same settings', () => {
    const settings = parse(
      "host=a,b hostaddr=,10.0.0.2 port=1,2 dbname='my db' user='o\\'' password='p w\\'\\\\' sslmode=require options='-c a=b'",
    );
    expect(parse(toConninfo(settings, { password: true }))).toEqual(settings);
  });

  it('has no password unless asked for', () => {
    const settings = parse('host=h user=u password=secret sslpassword=secret');
    expect(toConninfo(settings, { password: false })).not.toContain('secret');
    expect(toConninfo(settings, { password: true })).toContain('password=secret');
  });
});

describe('options of a foreign server', () => {
  it('hold everything but the user and the secrets, which go into the user mapping', () => {
    const settings = parse('host=h port=5433 dbname=x user=alice password=secret sslmode=require');
    const { server, userMapping } = toForeignServerOptions(settings);
    expect(userMapping).toEqual({ user: 'alice', password: 'secret' });
    expect(server).toMatchObject({
      host: 'h',
      port: '5433',
      dbname: 'x',
      sslmode: 'require',
      connect_timeout: '30',
      options: '-csearch_path=',
    });
    expect(server).not.toHaveProperty('user');
    expect(JSON.stringify(server)).not.toContain('secret');
  });

  it('always say how to encrypt and how long to wait, and keep the options of the user', () => {
    const { server, userMapping } = toForeignServerOptions(parse("host=h user=u options='-c geqo=off'"));
    expect(server).toMatchObject({ sslmode: 'prefer', connect_timeout: '30', options: '-c geqo=off -csearch_path=' });
    expect(userMapping).toEqual({ user: 'u' });
  });
});
