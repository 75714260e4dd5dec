// Synchronisation of many changes, against the least that any tool must do.
import { compareTimes, formatTime, median, takeTurns, time } from '../harness.js';
import {
  applyDirectly,
  createLimitTables,
  createObservations,
  insertObservations,
  tidy,
  updateObservations,
} from '../observations.js';

/** @typedef {import('../harness.js').Bench} Bench */
/** @typedef {import('../harness.js').Benchmark} Benchmark */
/** @typedef {import('../harness.js').Database} Database */
/** @typedef {import('../harness.js').Line} Line */

const insertedInHere = "name like 'new %'";

/** @param {boolean} condition @param {string} text */
function require(condition, text) {
  if (!condition) throw new Error(text);
}

/** @param {Bench} bench */
async function linkObservations(bench) {
  const rows = bench.scaled(100_000);
  const link = await bench.link(createObservations('bench.obs', rows));
  await createLimitTables(link);
  return { link, rows, changes: rows.toLocaleString('en') };
}

/** @type {Benchmark} */
const updates = {
  name: 'sync-updates',
  async run(bench) {
    const { link, rows, changes } = await linkObservations(bench);
    const { central, clone } = link;
    /** @param {Database} sender @param {Database} receiver */
    const limit = (sender, receiver) => async () => {
      await sender.client.query(updateObservations('limits.obs'));
      await tidy(link);
      return time(() => applyDirectly(sender, receiver, 'update'));
    };
    const taken = await takeTurns(bench.repeats, {
      limitPull: limit(central, clone),
      pull: async () => {
        await central.client.query(updateObservations('bench.obs'));
        await tidy(link);
        const { milliseconds, json } = await bench.sync(link);
        require(json.pulled === rows && json.pushed === 0, `pulled ${json.pulled} rows of ${rows}`);
        return milliseconds;
      },
      limitPush: limit(clone, central),
      push: async () => {
        await clone.client.query(updateObservations('bench.obs'));
        await tidy(link);
        const { milliseconds, json } = await bench.sync(link);
        require(json.pushed === rows && json.pulled === 0, `pushed ${json.pushed} rows of ${rows}`);
        return milliseconds;
      },
      both: async () => {
        // of each ten rows four on one side, four on the other, and two on both, as one conflict in ten changes
        await central.client.query(updateObservations('bench.obs', 'id % 20 < 11'));
        await clone.client.query(updateObservations('bench.obs', 'id % 20 >= 9'));
        await tidy(link);
        const { milliseconds, json } = await bench.sync(link);
        require(json.conflicts > 0 && json.pushed + json.pulled >= rows, `only ${json.pushed} + ${json.pulled} rows`);
        return milliseconds;
      },
    });
    await bench.requireEqual(link);
    return [
      compareTimes(`sync of ${changes} updated rows, central to clone`, taken, 'pull', 'L1', 'limitPull', 3.5),
      compareTimes(`sync of ${changes} updated rows, clone to central`, taken, 'push', 'L1', 'limitPush', 4),
      compareTimes(
        `sync of ${changes} updated rows, half on each side, 10 % of them on both`,
        taken,
        'both',
        'L1',
        'limitPush',
        4,
      ),
    ];
  },
};

/** @type {Benchmark} */
const inserts = {
  name: 'sync-inserts',
  async run(bench) {
    const { link, rows, changes } = await linkObservations(bench);
    const { central, clone } = link;
    /** @param {Database} sender @param {Database} receiver */
    const limit = (sender, receiver) => async () => {
      await sender.client.query(insertObservations('limits.obs', rows));
      await sender.client.query(`update limits.obs set name = 'new ' || name where id > ${rows}`);
      await tidy(link);
      const milliseconds = await time(() => applyDirectly(sender, receiver, 'insert', insertedInHere));
      for (const { client } of [central, clone]) await client.query(`delete from limits.obs where ${insertedInHere}`);
      return milliseconds;
    };
    /** @param {Database} sender @param {'pushed' | 'pulled'} direction */
    const sync = (sender, direction) => async () => {
      const { rows: before } = await sender.client.query('select coalesce(max(id), 0) as id from bench.obs');
      await sender.client.query(insertObservations('bench.obs', rows));
      await tidy(link);
      const { milliseconds, json } = await bench.sync(link);
      require(json[direction] === rows, `${direction} ${json[direction]} rows of ${rows}`);
      await bench.requireEqual(link);
      await sender.client.query(`delete from bench.obs where id > ${before[0].id}`);
      await bench.sync(link);
      return milliseconds;
    };
    const taken = await takeTurns(bench.repeats, {
      limitPull: limit(central, clone),
      pull: sync(central, 'pulled'),
      limitPush: limit(clone, central),
      push: sync(clone, 'pushed'),
    });
    await bench.requireEqual(link);
    return [
      compareTimes(`sync of ${changes} inserted rows, central to clone`, taken, 'pull', 'L1', 'limitPull', 3.5),
      compareTimes(`sync of ${changes} inserted rows, clone to central`, taken, 'push', 'L1', 'limitPush', 3.5),
    ];
  },
};

/** @type {Benchmark} */
const logical = {
  name: 'sync-logical',
  async run(bench) {
    const { link, rows, changes } = await linkObservations(bench);
    const { central, clone } = link;
    for (const { client } of [central, clone])
      await client.query('create table limits.marker (turn integer primary key)');
    await central.client.query('create publication limits for table limits.obs, limits.marker');
    const { hostname, port, password, pathname } = new URL(central.url);
    await clone.client.query(
      `create subscription limits connection 'host=${hostname} port=${port} user=postgres password=${password} dbname=${pathname.slice(1)}'
       publication limits with (enabled = false, create_slot = false, connect = false, slot_name = limits)`,
    );
    await central.client.query("select pg_create_logical_replication_slot('limits', 'pgoutput')");
    /** One transaction for each row. @param {string} table */
    const updateSingly = async (table) => {
      await central.client.query('set synchronous_commit = off');
      await central.client.query(`do $$ begin
        for v_id in 1..${rows} loop
          ${updateObservations(table, 'id = v_id')};
          commit;
        end loop;
      end $$`);
      await central.client.query('reset synchronous_commit');
    };
    let turn = 0;
    try {
      await clone.client.query('alter subscription limits enable');
      await clone.client.query('alter subscription limits refresh publication with (copy_data = false)');
      await clone.client.query('alter subscription limits disable');
      const taken = await takeTurns(Math.min(bench.repeats, 2), {
        limit: async () => {
          turn += 1;
          await updateSingly('limits.obs');
          await central.client.query('insert into limits.marker values ($1)', [turn]);
          await tidy(link);
          return time(async () => {
            await clone.client.query('alter subscription limits enable');
            for (let seen = 0; seen === 0; ) {
              const found = await clone.client.query('select from limits.marker where turn = $1', [turn]);
              seen = found.rowCount ?? 0;
            }
          });
        },
        sync: async () => {
          await clone.client.query('alter subscription limits disable');
          await updateSingly('bench.obs');
          await tidy(link);
          const { milliseconds, json } = await bench.sync(link);
          require(json.pulled === rows, `pulled ${json.pulled} rows of ${rows}`);
          return milliseconds;
        },
      });
      await bench.requireEqual(link);
      return [
        compareTimes(`sync of ${changes} single-row transactions, central to clone`, taken, 'sync', 'L2', 'limit', 1),
      ];
    } finally {
      await clone.client.query('alter subscription limits disable');
      await clone.client.query('alter subscription limits set (slot_name = none)');
      await clone.client.query('drop subscription limits');
      for (let dropped = false; !dropped; ) {
        // the server notices only after a moment that nobody reads it any more
        dropped = await central.client.query("select pg_drop_replication_slot('limits')").then(
          () => true,
          () => false,
        );
      }
    }
  },
};

/** @type {Benchmark} */
const netChanges = {
  name: 'net-changes',
  async run(bench) {
    const { link } = await linkObservations(bench);
    const rows = bench.scaled(1000);
    for (let count = 0; count < 100; count += 1) {
      await link.central.client.query(updateObservations('bench.obs', `id <= ${rows}`));
    }
    const { milliseconds, json } = await bench.sync(link);
    await bench.requireEqual(link);
    return [
      {
        what: `${rows.toLocaleString('en')} rows updated 100 times each`,
        measured: `${json.pulled.toLocaleString('en')} changes carried, ${formatTime(milliseconds)}`,
        limit: '',
        ratio: null,
        target: `${rows.toLocaleString('en')} changes`,
        reached: json.pulled === rows,
      },
    ];
  },
};

/** @type {Benchmark} */
const growth = {
  name: 'growth',
  async run(bench) {
    const most = bench.scaled(1_000_000);
    const link = await bench.link(createObservations('bench.obs', most));
    const idle = median(await repeat(3, async () => (await bench.sync(link)).milliseconds));
    /** @type {Line[]} */
    const lines = [];
    /** @type {number[]} */
    const costs = [];
    for (const changes of [most / 100, most / 10, most]) {
      const times = await repeat(changes === most ? 1 : bench.repeats, async () => {
        await link.central.client.query(updateObservations('bench.obs', `id <= ${changes}`));
        await link.central.client.query('vacuum analyze bench.obs');
        await link.clone.client.query('vacuum analyze bench.obs');
        const { milliseconds, json } = await bench.sync(link);
        require(json.pulled === changes, `pulled ${json.pulled} rows of ${changes}`);
        return milliseconds - idle;
      });
      const cost = median(times) / changes;
      costs.push(cost);
      const ratio = cost / Number(costs[0]);
      lines.push({
        what: `growth: time for each of ${changes.toLocaleString('en')} changes, above a sync without any`,
        measured: `${(cost * 1000).toFixed(1)} µs`,
        limit: `of ${(most / 100).toLocaleString('en')}: ${(Number(costs[0]) * 1000).toFixed(1)} µs`,
        ratio,
        target: '<= 1.5 x',
        reached: ratio <= 1.5,
      });
    }
    await bench.requireEqual(link);
    return lines;
  },
};

/** @type {Benchmark} */
const idle = {
  name: 'idle',
  async run(bench) {
    const rows = bench.scaled(10_000_000);
    const events = bench.scaled(5_000_000);
    const tables =
      'create schema bench; create table bench.point (id bigint primary key, uid uuid not null unique, value double precision);';
    const empty = await bench.link(tables);
    const large = await bench.link(tables);
    // the same rows on both sides without a word to the log, as a package brings them
    await Promise.all(
      [large.central, large.clone].map(async ({ client }) => {
        await client.query('set session_replication_role = replica');
        for (let from = 0; from < rows; from += 500_000) {
          await client.query(
            `insert into bench.point select i, md5(i::text)::uuid, i from generate_series($1::bigint, $2::bigint) as i`,
            [from + 1, Math.min(rows, from + 500_000)],
          );
        }
        await client.query('reset session_replication_role');
      }),
    );
    // what both have long had, in the log of the central
    const { rows: extensions } = await large.central.client.query(
      "select extnamespace::regnamespace::text as schema from pg_extension where extname = 'hstore'",
    );
    const hstore = `${extensions[0].schema}.hstore`;
    await large.central.client.query(
      `insert into audit.logged_actions (transaction_id, changed_at, relation_id, action, uid, old_values, new_values)
       select least(10 + i / 10000, pg_current_xact_id()::text::bigint - 1)::text::xid8, now(), 1, 'U',
         md5((i % ${rows} + 1)::text)::uuid, 'value=>1'::${hstore}, 'value=>2'::${hstore}
       from generate_series(1, ${events}) as i`,
    );
    for (const { client } of [large.central, large.clone]) await client.query('vacuum analyze');
    const taken = await takeTurns(Math.max(7, bench.repeats), {
      empty: async () => (await bench.sync(empty)).milliseconds,
      large: async () => (await bench.sync(large)).milliseconds,
    });
    const viaClone = await repeat(9, () => time(() => large.clone.client.query('select * from lizsync.synchronize()')));
    await bench.requireEqual(large);
    const size = `${rows.toLocaleString('en')} rows, ${events.toLocaleString('en')} events`;
    return [
      compareTimes(`sync with nothing to do, ${size}`, taken, 'large', 'on empty tables', 'empty', 1.2),
      {
        what: `sync with nothing to do, ${size}, whole process`,
        measured: formatTime(taken.median('large')),
        limit: '',
        ratio: null,
        target: '<= 300 ms',
        reached: taken.median('large') <= 300,
      },
      {
        what: `SELECT lizsync.synchronize() with nothing to do, ${size}`,
        measured: formatTime(median(viaClone)),
        limit: '',
        ratio: null,
        target: '<= 40 ms',
        reached: median(viaClone) <= 40,
      },
    ];
  },
};

/** @type {Benchmark} */
const viaClone = {
  name: 'sync-via-clone',
  async run(bench) {
    const { link, changes } = await linkObservations(bench);
    const { central, clone } = link;
    /** @param {Database} sender @param {() => Promise<unknown>} sync */
    const measure = (sender, sync) => async () => {
      await sender.client.query(updateObservations('bench.obs'));
      await tidy(link);
      return time(sync);
    };
    const byProgram = () => bench.sync(link);
    const bySql = () => clone.client.query('select * from lizsync.synchronize()');
    const taken = await takeTurns(bench.repeats, {
      programPull: measure(central, byProgram),
      sqlPull: measure(central, bySql),
      programPush: measure(clone, byProgram),
      sqlPush: measure(clone, bySql),
    });
    await bench.requireEqual(link);
    return [
      compareTimes(
        `SELECT lizsync.synchronize(), ${changes} updated rows, central to clone`,
        taken,
        'sqlPull',
        'the program',
        'programPull',
        1.5,
      ),
      compareTimes(
        `SELECT lizsync.synchronize(), ${changes} updated rows, clone to central`,
        taken,
        'sqlPush',
        'the program',
        'programPush',
        1.5,
      ),
    ];
  },
};

/** @template T @param {number} count @param {() => Promise<T>} work @returns {Promise<T[]>} */
async function repeat(count, work) {
  /** @type {T[]} */
  const results = [];
  for (let turn = 0; turn < count; turn += 1) results.push(await work());
  return results;
}

export const syncBenchmarks = [updates, inserts, logical, netChanges, growth, idle, viaClone];
