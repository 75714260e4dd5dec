// Packages, deployments and comparisons of large tables.
import { execFile } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { createGzip } from 'node:zlib';
import { to as copyTo } from 'pg-copy-streams';
import { findPgDump } from '../../../scripts/postgres-process.js';
import { compareTimes, copyRows, formatBytes, median, takeTurns, time } from '../harness.js';
import { createObservations } from '../observations.js';
import { createSlowLine } from '../slow-line.js';

/** @typedef {import('../harness.js').Bench} Bench */
/** @typedef {import('../harness.js').Benchmark} Benchmark */
/** @typedef {import('../harness.js').Database} Database */
/** @typedef {import('../harness.js').Line} Line */

const mostMemory = 150 * 2 ** 20;

/** @param {string} what @param {number} bytes @returns {Line} */
function memoryLine(what, bytes) {
  return {
    what: `resident memory of the program: ${what}`,
    measured: `${Math.round(bytes / 2 ** 20)} MB`,
    limit: '',
    ratio: null,
    target: '<= 150 MB',
    reached: bytes <= mostMemory,
  };
}

/** Swallows everything and counts. */
function createSink() {
  const sink = Object.assign(
    new Writable({
      write(chunk, _encoding, callback) {
        sink.bytes += chunk.length;
        callback();
      },
    }),
    { bytes: 0 },
  );
  return sink;
}

/** @type {Benchmark} */
const packages = {
  name: 'package',
  async run(bench) {
    const rows = bench.scaled(1_000_000);
    const count = rows.toLocaleString('en');
    const central = await bench.createDatabase('central');
    await central.client.query(
      `${createObservations('bench.obs', rows)} create index on bench.obs (name); create index on bench.obs (updated)`,
    );
    await bench.run(['install', '--central', central.url]);
    await bench.run(['prepare-central', '--central', central.url, '--schemas', 'bench']);
    // what pg_dump writes: the same table without the triggers, which need lizsync where they are restored
    await central.client.query(
      'create schema if not exists limits; create table limits.obs (like bench.obs including all); alter table limits.obs alter id drop default',
    );
    await central.client.query('insert into limits.obs select * from bench.obs');
    await central.client.query('vacuum analyze bench.obs');
    await central.client.query('vacuum analyze limits.obs');
    const archive = bench.file('large.zip');
    const dump = bench.file('large.dump');
    const tools = findTools(central);
    let packageMemory = 0;
    let deployMemory = 0;
    /** @type {Database | undefined} */
    let clone;
    const repeats = Math.min(bench.repeats, 3);
    const copyOut = 'copy bench.obs to stdout';
    const limitDatabase = await bench.createDatabase('clone');
    /** @type {Record<string, () => Promise<number>>} */
    const packageMeasures = {
      limit: () => time(() => pipeline(central.client.query(copyTo(copyOut)), createSink())),
      package: async () => {
        const done = await bench.run(['package', '--central', central.url, '--schemas', 'bench', '--output', archive]);
        packageMemory = Math.max(packageMemory, done.maxRss);
        return done.milliseconds;
      },
      ...(tools && {
        dump1: () => time(() => tools.dump(['-Z1', '--schema=limits', '-f', bench.file('large1.dump')])),
        dump6: () => time(() => tools.dump(['-Z6', '--schema=limits', '-f', dump])),
      }),
    };
    const packaged = await takeTurns(repeats, packageMeasures);
    const deflated = createSink();
    await pipeline(central.client.query(copyTo(copyOut)), createGzip({ level: 6 }), deflated);
    /** @type {Record<string, () => Promise<number>>} */
    const deployMeasures = {
      limit: async () => {
        await limitDatabase.client.query('drop schema if exists bench cascade; drop schema if exists limits cascade');
        await limitDatabase.client.query(
          `create schema bench; create table bench.obs (
             id integer, uid uuid not null, name text, value double precision, note text, photo text, updated timestamptz)`,
        );
        return time(async () => {
          await limitDatabase.client.query('begin');
          await copyRows(central.client, 'table bench.obs', limitDatabase.client, 'bench.obs');
          await limitDatabase.client.query(
            'alter table bench.obs add primary key (id), add unique (uid); create index on bench.obs (name); create index on bench.obs (updated); commit',
          );
        });
      },
      deploy: async () => {
        clone = await bench.createDatabase('clone');
        const done = await bench.run(['deploy', archive, '--central', central.url, '--clone', clone.url]);
        deployMemory = Math.max(deployMemory, done.maxRss);
        return done.milliseconds;
      },
      ...(tools && {
        restore: async () => {
          const target = await bench.createDatabase('clone');
          return time(() => tools.restore(target, ['-j2', dump]));
        },
      }),
    };
    const deployed = await takeTurns(repeats, deployMeasures);
    if (!clone) throw new Error('nothing was deployed');
    await bench.requireEqual({ central, clone });
    const bytes = fs.statSync(archive).size;
    const lines = [
      compareTimes(`package of ${count} rows`, packaged, 'package', 'L3', 'limit', 1.5),
      {
        what: `archive of ${count} rows`,
        measured: formatBytes(bytes),
        limit: `deflate level 6: ${formatBytes(deflated.bytes)}`,
        ratio: bytes / deflated.bytes,
        target: '<= 1 x',
        reached: bytes <= deflated.bytes,
      },
      compareTimes(`deploy of ${count} rows with 4 indexes`, deployed, 'deploy', 'L3', 'limit', 1.25),
      memoryLine(`package of ${count} rows`, packageMemory),
      memoryLine(`deploy of ${count} rows`, deployMemory),
    ];
    if (tools) {
      const title = `package of ${count} rows`;
      lines.splice(
        2,
        0,
        compareTimes(title, packaged, 'package', 'L4 pg_dump -Fc -Z1', 'dump1', 1),
        compareTimes(title, packaged, 'package', 'L4 pg_dump -Fc -Z6', 'dump6', 1),
      );
      lines.push(
        compareTimes(`deploy of ${count} rows with 4 indexes`, deployed, 'deploy', 'L4 pg_restore -j2', 'restore', 1),
      );
    }
    return lines;
  },
};

/** pg_dump and pg_restore for a server, where the machine has them. @param {Database} database */
function findTools({ url, server }) {
  const version = server.binDirectory.includes('embedded') ? 180000 : 150000;
  const pgDump = findPgDump(version);
  if (pgDump === null) return undefined;
  /** @param {string} program @param {string} target @param {string[]} args */
  const run = (program, target, args) => {
    const address = new URL(target);
    return promisify(execFile)(path.join(path.dirname(pgDump), program), args, {
      env: {
        PATH: process.env.PATH,
        PGHOST: address.hostname,
        PGPORT: address.port,
        PGUSER: address.username,
        PGPASSWORD: address.password,
        PGDATABASE: address.pathname.slice(1),
      },
    });
  };
  return {
    /** @param {string[]} args */
    dump: (args) => run('pg_dump', url, ['-Fc', ...args]),
    /** @param {Database} target @param {string[]} args */
    restore: (target, args) =>
      run('pg_restore', target.url, ['--dbname', new URL(target.url).pathname.slice(1), '--no-owner', ...args]),
  };
}

/** @type {Benchmark} */
const compare = {
  name: 'compare',
  async run(bench) {
    const rows = bench.scaled(1_000_000);
    const count = rows.toLocaleString('en');
    const link = await bench.link(createObservations('bench.obs', rows));
    const { central, clone } = link;
    for (const { client } of [central, clone]) await client.query('vacuum analyze bench.obs');
    const line = await createSlowLine(central.server, 0);
    let memory = 0;
    const taken = await takeTurns(bench.repeats, {
      limit: () => time(() => central.client.query('select count(hashtextextended(o::text, 0)) from bench.obs as o')),
      compare: async () => {
        line.reset();
        const done = await bench.run(['compare', '--central', line.urlOf(central), '--clone', clone.url]);
        memory = Math.max(memory, done.maxRss);
        return done.milliseconds;
      },
    });
    const bytes = line.passed();
    line.close();
    return [
      compareTimes(
        `compare of two equal tables of ${count} rows`,
        taken,
        'compare',
        'count(*) over a hash of every row',
        'limit',
        2,
      ),
      {
        what: `the same, bytes over the line to the central`,
        measured: formatBytes(bytes),
        limit: '',
        ratio: null,
        target: '<= 100 kB',
        reached: bytes <= 100_000,
      },
      memoryLine(`compare of ${count} rows`, memory),
    ];
  },
};

/** @type {Benchmark} */
const memory = {
  name: 'memory',
  async run(bench) {
    // large values are what a program that keeps rows would die of
    const areas = bench.scaled(2000);
    const link = await bench.link(`create schema bench;
      create table bench.area (id serial primary key, uid uuid not null default gen_random_uuid() unique, name text, outline text);
      insert into bench.area (name, outline)
      select 'area', (select string_agg(md5(random()::text), '') from generate_series(1, 8000) where i > 0)
      from generate_series(1, ${areas}) as i;`);
    await link.central.client.query("update bench.area set outline = outline || 'x'");
    const { maxRss } = await bench.sync(link);
    await bench.requireEqual(link);
    const single = await bench.sync(link);
    return [
      memoryLine(`sync of ${areas.toLocaleString('en')} values of 256 kB`, maxRss),
      memoryLine('sync with nothing to do', median([single.maxRss])),
    ];
  },
};

/** @type {Benchmark} */
const large = {
  name: 'large',
  async run(bench) {
    const areas = bench.scaled(20_000);
    const central = await bench.createDatabase('central');
    // some hundred polygons, again and again: to make all of them random would take longer than all the rest
    await central.client.query(`
      create schema bench;
      create table bench.area (id serial primary key, uid uuid not null default gen_random_uuid() unique, name text, outline text);
      alter table bench.area alter outline set storage external;
      create temporary table polygon as
        select n, 'POLYGON((' || (
          select string_agg(round((random() * 180)::numeric, 8) || ' ' || round((random() * 90)::numeric, 8), ',')
          from generate_series(1, 10000) where n > 0
        ) || '))' as outline
        from generate_series(0, 199) as n;
      insert into bench.area (name, outline)
      select 'area ' || i, p.outline from generate_series(1, ${areas}) as i join polygon as p on p.n = i % 200;
      analyze bench.area`);
    const size = await central.client.query('select sum(octet_length(outline))::float8 as bytes from bench.area');
    const what = `${formatBytes(size.rows[0].bytes)} of polygons`;
    await bench.run(['install', '--central', central.url]);
    await bench.run(['prepare-central', '--central', central.url, '--schemas', 'bench']);
    const archive = bench.file('polygons.zip');
    const clone = await bench.createDatabase('clone');
    const packaged = await bench.run(['package', '--central', central.url, '--schemas', 'bench', '--output', archive]);
    const deployed = await bench.run(['deploy', archive, '--central', central.url, '--clone', clone.url]);
    await bench.requireEqual({ central, clone });
    fs.rmSync(archive);
    return [memoryLine(`package of ${what}`, packaged.maxRss), memoryLine(`deploy of ${what}`, deployed.maxRss)];
  },
};

export const packageBenchmarks = [packages, compare, memory, large];
