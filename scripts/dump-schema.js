// Writes what an installed database looks like to test/dumps, so that a change of the schema is seen in review.
//   node scripts/with-dependencies.js node scripts/dump-schema.js            test/dumps/schema.sql
//   node scripts/with-dependencies.js node scripts/dump-schema.js --release  also test/dumps/vNNNN.sql: a whole database
// At a release, vNNNN.sql is committed and never changes: tests upgrade each of them. Needs the server and the pg_dump of
// the oldest PostgreSQL that the dumps should be restored on, installed on this machine.
import { execFile } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import pg from 'pg';
import { createPostgres, findPgDump, removePostgres } from './postgres-process.js';

const dumpDirectory = fileURLToPath(new URL('../test/dumps', import.meta.url));

/**
 * Runs pg_dump.
 * @param {string} pgDump path of the program
 * @param {string} url of the database; the password doesn't show in the list of processes
 * @param {string[]} options
 * @returns {Promise<string>} the SQL
 */
export async function runPgDump(pgDump, url, options) {
  const address = new URL(url);
  const { stdout } = await promisify(execFile)(pgDump, ['--no-owner', ...options], {
    maxBuffer: 64 << 20,
    env: {
      PATH: process.env.PATH,
      PGHOST: address.hostname,
      PGPORT: address.port || '5432',
      PGUSER: decodeURIComponent(address.username),
      PGPASSWORD: decodeURIComponent(address.password),
      PGDATABASE: decodeURIComponent(address.pathname.slice(1)),
      PGCONNECT_TIMEOUT: '20',
    },
  });
  return stdout;
}

/**
 * Dumps the definitions in the schemas of lizsync.
 * @param {string} pgDump path of the program
 * @param {string} url
 * @returns {Promise<string>} normalised: the same for databases with the same schema
 */
export async function dumpSchema(pgDump, url) {
  return normaliseDump(await runPgDump(pgDump, url, ['--schema-only', '--schema=audit', '--schema=lizsync']));
}

/**
 * Takes from a dump what depends on the program and not on the database: versions, session settings, psql's commands.
 * @param {string} text
 */
export function normaliseDump(text) {
  return `${text
    .split('\n')
    .filter(
      (line) => !/^(--$|-- (Dumped|PostgreSQL database dump)|\\|SET \w+ = |SELECT pg_catalog\.set_config)/.test(line),
    )
    .join('\n')
    .replace(/\n{3,}/g, '\n\n')
    .trim()}\n`;
}

/**
 * Leaves the functions out of a normalised dump: reviewers read them in sql/routines.
 * @param {string} text
 */
export function withoutFunctions(text) {
  return text
    .split(/^(?=-- Name: )/m)
    .filter(
      (part) => !/^-- Name: ((FUNCTION|AGGREGATE) .*; Type: (ACL|COMMENT)|.*; Type: (FUNCTION|AGGREGATE));/.test(part),
    )
    .join('');
}

/**
 * Fills a database as a central in use: a prepared table that was edited, a link, history.
 * @param {string} url
 */
async function makeCentral(url) {
  const [{ upgrade }, { prepareCentral }, { parseConnection }] = await Promise.all([
    import('../dist/core/upgrade.js'),
    import('../dist/core/prepare-central.js'),
    import('../dist/db/connection-settings.js'),
  ]);
  const central = parseConnection(url, { variables: {}, homeDirectory: undefined, userName: undefined });
  const client = new pg.Client(url);
  await client.connect();
  try {
    const installed = await upgrade(central, { role: 'central', install: true, dryRun: false });
    await client.query('create schema survey; create table survey.tree (id integer primary key, species text)');
    await prepareCentral({ central, schemas: ['survey'], tables: [] });
    await client.query(`
      insert into survey.tree values (1, 'oak'), (2, 'ash'), (3, 'fir');
      update survey.tree set species = 'beech' where id = 2;
      delete from survey.tree where id = 3;
      insert into lizsync.links (peer_id, peer_name, position) values (gen_random_uuid(), 'tablet', pg_current_snapshot());
      insert into lizsync.link_relations (peer_id, schema_name, table_name)
      select peer_id, 'survey', 'tree' from lizsync.links`);
    return installed.toVersion;
  } finally {
    await client.end();
  }
}

async function main() {
  const server = await createPostgres('local');
  try {
    const client = new pg.Client(server.url);
    await client.connect();
    const { rows } = await client.query(`select current_setting('server_version_num')::integer as version`);
    await client.query('create database dump template template0');
    await client.end();
    const pgDump = findPgDump(rows[0].version);
    if (pgDump === null) throw new Error('There is no pg_dump that can dump the server');
    const url = new URL(server.url);
    url.pathname = '/dump';
    const version = await makeCentral(url.href);
    /** @type {[string, string][]} */
    const files = [['schema.sql', withoutFunctions(await dumpSchema(pgDump, url.href))]];
    if (process.argv.includes('--release')) {
      const name = `v${String(version).padStart(4, '0')}.sql`;
      if (existsSync(path.join(dumpDirectory, name))) {
        throw new Error(`test/dumps/${name} exists: a released dump never changes`);
      }
      // only statements that any client can run, without psql's commands and COPY blocks
      const text = await runPgDump(pgDump, url.href, ['--inserts']);
      files.push([name, text.replace(/^\\.*\n/gm, '')]);
    }
    for (const [name, text] of files) {
      writeFileSync(path.join(dumpDirectory, name), text);
      console.log(`test/dumps/${name}`);
    }
  } finally {
    await removePostgres(server);
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main();
