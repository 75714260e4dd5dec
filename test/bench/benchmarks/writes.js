// What the audit costs those who write, and what it keeps.
import pg from 'pg';
import { compareTimes, formatBytes, takeTurns, time } from '../harness.js';
import { createObservations, insertObservations, updateObservations } from '../observations.js';

/** @typedef {import('../harness.js').Bench} Bench */
/** @typedef {import('../harness.js').Benchmark} Benchmark */
/** @typedef {import('../harness.js').Database} Database */
/** @typedef {import('../harness.js').Line} Line */

/** bench.obs under audit and limits.obs without, with the same rows. @param {Bench} bench @param {number} rows */
async function linkTwins(bench, rows) {
  const link = await bench.link(createObservations('bench.obs', rows));
  await link.central.client.query(createObservations('limits.obs', 0));
  await link.central.client.query('insert into limits.obs select * from bench.obs');
  await link.central.client.query("select setval('limits.obs_id_seq', max(id)) from limits.obs");
  await link.central.client.query('vacuum analyze bench.obs');
  await link.central.client.query('vacuum analyze limits.obs');
  return link;
}

/** @type {Benchmark} */
const bulk = {
  name: 'writes-bulk',
  async run(bench) {
    const rows = bench.scaled(100_000);
    const changes = rows.toLocaleString('en');
    const link = await linkTwins(bench, rows);
    const { client } = link.central;
    /** @param {string} table */
    const tidy = async (table) => {
      await client.query(`vacuum analyze ${table}`);
      await client.query('checkpoint');
    };
    /** @param {string} table */
    const update = (table) => async () => {
      await tidy(table);
      return time(() => client.query(updateObservations(table)));
    };
    /** @param {string} table */
    const insert = (table) => async () => {
      await tidy(table);
      const milliseconds = await time(() => client.query(insertObservations(table, rows)));
      await client.query(`delete from ${table} where id not in (select id from ${table} order by id limit ${rows})`);
      return milliseconds;
    };
    const updated = await takeTurns(bench.repeats, { plain: update('limits.obs'), audited: update('bench.obs') });
    const inserted = await takeTurns(bench.repeats, { plain: insert('limits.obs'), audited: insert('bench.obs') });
    await bench.sync(link);
    await bench.requireEqual(link);
    return [
      compareTimes(`UPDATE of ${changes} rows under audit`, updated, 'audited', 'L5', 'plain', 2),
      compareTimes(`INSERT of ${changes} rows under audit`, inserted, 'audited', 'L5', 'plain', 1.6),
    ];
  },
};

/** @type {Benchmark} */
const single = {
  name: 'writes-single',
  async run(bench) {
    const rows = bench.scaled(100_000);
    const link = await linkTwins(bench, rows);
    /** @type {Line[]} */
    const lines = [];
    for (const { count, least } of [
      { count: 1, least: 0.85 },
      { count: 4, least: 0.9 },
    ]) {
      const clients = await connect(link.central, count);
      /** Transactions a second. @param {string} table */
      const write = (table) => async () => {
        const until = performance.now() + 1000;
        const startedAt = performance.now();
        const done = await Promise.all(
          clients.map(async (client) => {
            let transactions = 0;
            for (; performance.now() < until; transactions += 1) {
              await client.query({
                name: table,
                text: updateObservations(table, 'id = $1'),
                values: [1 + Math.floor(Math.random() * rows)],
              });
            }
            return transactions;
          }),
        );
        return (1000 * done.reduce((sum, transactions) => sum + transactions, 0)) / (performance.now() - startedAt);
      };
      const taken = await takeTurns(Math.max(10, 3 * bench.repeats), {
        plain: write('limits.obs'),
        audited: write('bench.obs'),
      });
      for (const client of clients) await client.end();
      const share = taken.ratio('audited', 'plain');
      lines.push({
        what: `single-row transactions under audit, ${count} ${count === 1 ? 'client' : 'clients'}`,
        measured: `${Math.round(taken.median('audited'))}/s`,
        limit: `L5 ${Math.round(taken.median('plain'))}/s`,
        ratio: share,
        target: `>= ${least} x`,
        reached: share >= least,
      });
    }
    await bench.sync(link);
    await bench.requireEqual(link);
    return lines;
  },
};

/** @type {Benchmark} */
const logSize = {
  name: 'log-size',
  async run(bench) {
    const rows = bench.scaled(10_000);
    // a type of PostgreSQL itself, as PostGIS is not everywhere; 16 bytes a point
    const link = await bench.link(`${createObservations('bench.obs', 10)}
      create table bench.area (
        id serial primary key, uid uuid not null default gen_random_uuid() unique, name text, outline polygon
      );
      alter table bench.area alter outline set storage external;
      insert into bench.area (name, outline)
      select 'area', (select polygon(('(' || string_agg(format('(%s,%s)', random(), random()), ',') || ')')) from generate_series(1, 3125) where i > 0)
      from generate_series(1, ${bench.scaled(1000)}) as i;`);
    const { client } = link.central;
    const vacuum = () => client.query('vacuum audit.logged_actions, audit.logged_statements');
    const size = async () => {
      const { rows: found } = await client.query(
        `select pg_total_relation_size('audit.logged_actions') + pg_total_relation_size('audit.logged_statements') as bytes`,
      );
      return Number(found[0].bytes);
    };
    /** @param {() => Promise<unknown>} work */
    const grow = async (work) => {
      await client.query('truncate audit.logged_actions, audit.logged_statements');
      await vacuum();
      const before = await size();
      await work();
      return (await size()) - before;
    };
    /** @param {string} what @param {number} bytes @param {number} events @param {number} most @returns {Line} */
    const line = (what, bytes, events, most) => ({
      what: `log, indexes included: ${what}`,
      measured: `${Math.round(bytes / events)} bytes an event`,
      limit: '',
      ratio: null,
      target: `<= ${most} bytes`,
      reached: bytes / events <= most,
    });
    await bench.sync(link);
    const areas = bench.scaled(1000);
    /** @type {Line[]} */
    const lines = [];
    const many = await grow(async () => {
      for (let turn = 0; turn < 10; turn += 1) await client.query('update bench.area set name = $1', [`area ${turn}`]);
    });
    lines.push(line('update of one column of a row with a 50 kB polygon', many, 10 * areas, 200));
    await bench.sync(link);
    const inserted = await grow(() => client.query(insertObservations('bench.obs', rows)));
    lines.push(line('insert of a row of 180 bytes', inserted, rows, 420));
    await bench.sync(link);
    const values = Array.from({ length: 5000 }, (_, number) => {
      const text = `${number}`.padStart(18, 'observation ');
      return `('${text}', ${number * 0.25}, 'a note about it that nobody reads', 'photos/${text}.jpg')`;
    }).join(', ');
    const statement = `insert into bench.obs (name, value, note, photo) values ${values}`;
    const whole = await grow(() => client.query(statement));
    lines.push({
      what: `log of one INSERT with 5,000 rows, ${formatBytes(statement.length)} of SQL`,
      measured: formatBytes(whole),
      limit: '',
      ratio: null,
      target: '<= 3 MB',
      reached: whole <= 3e6,
    });
    await bench.sync(link);
    await bench.requireEqual(link);
    return lines;
  },
};

/** @param {Database} database @param {number} count */
async function connect({ url }, count) {
  const clients = Array.from({ length: count }, () => new pg.Client({ connectionString: url }));
  for (const client of clients) await client.connect();
  return clients;
}

export const writeBenchmarks = [bulk, single, logSize];
