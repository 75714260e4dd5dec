// One central with many clones, each of which changes a little, while people write into the central, too.
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { compare } from '../../../dist/core/compare.js';
import { deploy } from '../../../dist/core/deploy.js';
import { synchronize } from '../../../dist/core/sync.js';
import { parseConnection } from '../../../dist/db/connection-settings.js';
import { formatTime, withClient } from '../harness.js';
import { createObservations } from '../observations.js';

/** @typedef {import('../harness.js').Bench} Bench */
/** @typedef {import('../harness.js').Benchmark} Benchmark */
/** @typedef {import('../harness.js').Database} Database */

const changesOfClone = 50;
const atOnce = 8;
const writers = 4;
const pauseOfWriter = 200;

/** The clones and what synchronises them: the core of the program, in this process. On tablets each is a process of its own. */
class Field {
  /** @type {Database[]} */
  clones = [];

  /** @param {Bench} bench @param {Database} central @param {Database} template a clone, to which nobody is connected */
  constructor(bench, central, template) {
    this.bench = bench;
    this.central = central;
    this.template = template;
  }

  /** More clones, until there are so many. @param {number} count */
  async grow(count) {
    const numbers = Array.from({ length: count - this.clones.length }, (_, index) => this.clones.length + index + 1);
    await inParallel(numbers, 4, async (number) => {
      this.clones.push(await this.deploy(`clone ${number}`));
    });
  }

  /** A copy of the template with an identity of its own. @param {string} name */
  async deploy(name) {
    // a template can be copied by one at a time
    const clone = await this.#copy();
    await deploy({
      archive: this.bench.file('package.zip'),
      central: toSettings(this.central),
      clone: toSettings(clone),
      name,
      newId: true,
      // a copy cannot prove that it has sent everything
      force: true,
    });
    return clone;
  }

  /** @type {Promise<unknown>} */
  #copying = Promise.resolve();

  /** @returns {Promise<Database>} */
  #copy() {
    const copy = this.#copying.then(() =>
      this.bench.createDatabase('clone', new URL(this.template.url).pathname.slice(1), this.template.server),
    );
    this.#copying = copy.catch(() => {});
    return copy;
  }

  /**
   * Each clone changes its own rows, and another one, which synchronises before them, as many more as make `changes` of
   * all; then all synchronise.
   * @param {Database} other
   * @param {number} changes
   */
  async round(other, changes) {
    const own = this.clones.length * changesOfClone;
    for (const [index, { client }] of this.clones.entries()) {
      const from = index * changesOfClone;
      await client.query(
        `update bench.obs set value = value + 1, updated = clock_timestamp() where id > ${from} and id <= ${from + changesOfClone}`,
      );
    }
    await other.client.query(
      `update bench.obs set value = value + 1, updated = clock_timestamp() where id > ${own} and id <= ${changes}`,
    );
    await synchronize({ central: toSettings(this.central), clone: toSettings(other) });
    // what that has left for autovacuum is no work of the syncs to come
    await this.central.client.query('vacuum analyze');
    return this.synchronise();
  }

  /**
   * @returns {Promise<{ syncs: number, milliseconds: number, processorMilliseconds: number, changes: number, slowest: number }>}
   *   changes: how many all of them carried, up and down
   */
  async synchronise() {
    const writing = new Writing(this.central);
    await writing.measure();
    const before = await processorTime(this.central);
    const startedAt = performance.now();
    let changes = 0;
    let slowest = 0;
    await inParallel(this.clones, atOnce, async (clone) => {
      const since = performance.now();
      const result = await synchronize({ central: toSettings(this.central), clone: toSettings(clone) });
      if (result.held > 0) throw new Error(`${result.held} changes are held`);
      changes += result.pushed + result.pulled;
      slowest = Math.max(slowest, performance.now() - since);
    });
    const milliseconds = performance.now() - startedAt;
    const spent = (await processorTime(this.central)) - before;
    await writing.stop();
    return {
      syncs: this.clones.length,
      milliseconds,
      processorMilliseconds: spent - writing.cost * milliseconds,
      changes,
      slowest,
    };
  }
}

/** People who write into the central: single rows, a few in a second. */
class Writing {
  #stopped = false;
  /** Processor time that it takes of the central, in milliseconds for each. */
  cost = 0;

  /** @param {Database} central */
  constructor(central) {
    this.central = central;
    this.done = Promise.all(
      Array.from({ length: writers }, async (_, writer) => {
        await withClient(central.url, async (client) => {
          while (!this.#stopped) {
            await client.query(`insert into bench.note (text) values ('note of writer ${writer}')`);
            await new Promise((resolve) => setTimeout(resolve, pauseOfWriter));
          }
        });
      }),
    );
    this.done.catch(() => {});
  }

  /** Finds out what it costs while nothing else happens. */
  async measure() {
    const since = performance.now();
    const before = await processorTime(this.central);
    await new Promise((resolve) => setTimeout(resolve, 2000));
    this.cost = ((await processorTime(this.central)) - before) / (performance.now() - since);
  }

  async stop() {
    this.#stopped = true;
    await this.done;
  }
}

/** @param {{ url: string }} database */
function toSettings({ url }) {
  return parseConnection(url, { variables: {}, homeDirectory: undefined, userName: undefined });
}

/** @template T @param {T[]} items @param {number} count how many at once @param {(item: T) => Promise<unknown>} work */
async function inParallel(items, count, work) {
  const left = [...items];
  await Promise.all(
    Array.from({ length: count }, async () => {
      for (let item = left.shift(); item !== undefined; item = left.shift()) await work(item);
    }),
  );
}

/**
 * Processor time that the server of a database has taken so far, in milliseconds, with all its processes, also those that
 * have ended. From /proc: on other systems than Linux it fails.
 * @param {Database} database
 */
async function processorTime({ server }) {
  const [postmaster = ''] = (await readFile(path.join(server.dataDirectory, 'postmaster.pid'), 'utf8')).split('\n');
  const children = await readFile(`/proc/${postmaster}/task/${postmaster}/children`, 'utf8');
  let ticks = 0;
  for (const pid of [postmaster, ...children.trim().split(' ')]) {
    const line = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
    // after the name, which is in parentheses: utime, stime, and what children took that have ended
    const fields = line.slice(line.lastIndexOf(')') + 2).split(' ');
    for (const field of pid === postmaster ? [11, 12, 13, 14] : [11, 12]) ticks += Number(fields[field] ?? 0);
  }
  return ticks * 10;
}

/** @type {Benchmark} */
const manyClones = {
  name: 'many-clones',
  async run(bench) {
    const many = Math.max(4, bench.scaled(200));
    const few = Math.max(2, Math.round(many / 20));
    const changes = many * changesOfClone;
    const central = await bench.createCentral(`${createObservations('bench.obs', changes)}
      create table bench.note (id bigserial primary key, text text);`);
    // the disks of tablets are their own, and no load of the central's
    const tablets = await bench.startServer({ fsync: 'off', max_connections: String(many + 50) });
    const template = await bench.deploy(central, 'template', tablets);
    await template.client.end();
    const field = new Field(bench, central, template);
    await bench.run(['retire', 'template', '--central', central.url, '--yes']);

    const other = await field.deploy('the rest');
    // the first round of each is not complete: nobody has yet to fetch what the others sent after him
    await field.grow(few);
    await field.round(other, changes);
    const ofFew = await field.round(other, changes);
    await field.grow(many);
    await field.round(other, changes);
    const ofMany = await field.round(other, changes);
    // nobody writes any more
    const all = [...field.clones, other];
    await inParallel(all, atOnce, (each) => synchronize({ central: toSettings(central), clone: toSettings(each) }));
    await inParallel(all, 4, async (each) => {
      const { equal } = await compare({ central: toSettings(central), clone: toSettings(each) });
      if (!equal) throw new Error('a clone differs from the central');
    });

    const { rows } = await central.client.query('select count(*)::integer as events from audit.logged_actions');
    const { json: pruned } = await bench.run(['prune', '--central', central.url, '--keep', '0h']);
    const { rows: left } = await central.client.query('select count(*)::integer as events from audit.logged_actions');
    await bench.stopServer(tablets);

    /** @param {typeof ofMany} round */
    const changesOfSync = (round) => Math.round(round.changes / round.syncs).toLocaleString('en');
    /** @param {typeof ofMany} round */
    const load = (round) => formatTime(round.processorMilliseconds / round.syncs);
    // the longer a round takes, the more of others each of its syncs finds
    const ratio = ofMany.processorMilliseconds / ofMany.changes / (ofFew.processorMilliseconds / ofFew.changes);
    return [
      {
        what: `${many} clones, ${atOnce} at a time, each with ${changesOfClone} changes of its own, writers on the central`,
        measured: `${Math.round((60_000 * ofMany.syncs) / ofMany.milliseconds)} syncs a minute, the slowest ${formatTime(ofMany.slowest)}`,
        limit: '',
        ratio: null,
        target: '',
        reached: true,
      },
      {
        what: 'load of the central: processor time of these syncs, the ratio for each change that they carry',
        measured: `${load(ofMany)} for ${changesOfSync(ofMany)} changes`,
        limit: `${few} clones: ${load(ofFew)} for ${changesOfSync(ofFew)} changes`,
        ratio,
        target: '<= 1.2 x',
        reached: ratio <= 1.2,
      },
      {
        what: `log of the central, once the ${many} clones have caught up`,
        measured: `${left[0].events.toLocaleString('en')} events left`,
        limit: `${rows[0].events.toLocaleString('en')} before`,
        ratio: null,
        target: 'all that the clones have is pruned',
        reached: pruned.removed > 0 && left[0].events <= changes,
      },
    ];
  },
};

export const cloneBenchmarks = [manyClones];
