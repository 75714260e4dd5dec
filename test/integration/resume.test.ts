import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type SynchronizeOptions, type SynchronizeResult, synchronize } from '../../src/core/sync.js';
import type { TestDatabase } from '../support/database.js';
import { createFaultyLink, type FaultyLink } from '../support/faulty-link.js';
import { toSettings } from '../support/settings.js';
import { expectSynchronised, waitUntil } from '../support/synchronised.js';
import type { Direction } from '../support/tcp-proxy.js';

/** Rows that are changed at once, each with a text of a kilobyte. */
const rows = 3000;

let link: FaultyLink;
let central: TestDatabase;
let clone: TestDatabase;
let writes = 0;
let steps: string[] = [];

beforeAll(async () => {
  link = await createFaultyLink();
  ({ central, clone } = link);
  await central.query(`insert into test.item (name, number) select 'item', n from generate_series(1, ${rows}) as n`);
  await link.synchronise();
});

beforeEach(() => {
  link.repair();
  steps = [];
});

/** Synchronises over the lines, and notes what it says it does. */
function sync(options: Partial<SynchronizeOptions> = {}): Promise<SynchronizeResult> {
  return synchronize(
    {
      central: toSettings(link.centralLine.urlOf(central)),
      clone: toSettings(link.cloneLine.urlOf(clone)),
      ...options,
    },
    (event) => {
      if (event.kind === 'step') steps.push(event.text);
    },
  );
}

/** SQL that changes rows to what no row has had before. */
function change(where = 'true', column = 'name'): string {
  writes += 1;
  return column === 'name'
    ? `update test.item set name = '${writes} ' || number || repeat(md5(random()::text), 32) where ${where}`
    : `update test.item set other = ${writes} * 100000 + number where ${where}`;
}

const goesOn = expect.stringContaining('going on where an earlier sync broke off');
const beginsAgain = expect.stringContaining('beginning again');

describe.each([
  { way: 'push', direction: 'toServer' },
  { way: 'pull', direction: 'toClient' },
] as const)('a $way that broke off at 90 %', ({ way, direction }) => {
  const sender = (): TestDatabase => (way === 'push' ? clone : central);

  const receiver = (): TestDatabase => (way === 'push' ? central : clone);

  /** Changes rows, and breaks the line when 90 % of that have arrived; returns how many bytes the whole is. */
  async function breakOff(where = 'true'): Promise<number> {
    await sender().query(change(where));
    link.repair();
    await sync();
    const bytes = link.centralLine.passed[direction];
    await sender().query(change(where));
    link.repair();
    link.centralLine.stopAfter(direction, bytes * 0.9);
    const broken = expect(sync()).rejects.toThrow(/connection|terminated/i);
    await waitUntil(receiver(), `select count(*) > ${rows} * 0.8 from lizsync.staged_changes`);
    link.centralLine.cut();
    await broken;
    link.repair();
    return bytes;
  }

  it('goes on from there', async () => {
    const bytes = await breakOff();
    await sync();
    expect(steps).toContainEqual(goesOn);
    expect(link.centralLine.passed[direction]).toBeLessThan(bytes * 0.25);
    await expectSynchronised(link);
  });

  it('brings what was changed, deleted, added and committed in the meantime as well', async () => {
    const late = await sender().connect();
    await late.query(`begin; ${change('number between 10 and 20', 'other')}`);
    await late.query(`insert into test.item (name, number) values ('late ${way}', 0)`);
    const bytes = await breakOff('number not between 10 and 20');
    await late.query('commit');
    await late.end();
    await sender().query(`
      ${change('number between 1 and 9')};
      ${change('number between 30 and 40', 'other')};
      delete from test.item where number between 50 and 60;
      insert into test.item (name, number) select '${way} again', n from generate_series(50, 60) as n`);
    await sync();
    expect(steps).toContainEqual(goesOn);
    expect(steps).not.toContainEqual(beginsAgain);
    expect(link.centralLine.passed[direction]).toBeLessThan(bytes * 0.3);
    await expectSynchronised(link);
  });

  it('forgets a change that the receiver has overwritten in the meantime', async () => {
    await breakOff();
    // travels to the sender with the other half, where it is the later change
    await receiver().query(change('number <= 100'));
    await sync();
    expect(steps).not.toContainEqual(beginsAgain);
    await expectSynchronised(link);
  });

  it('begins again when what is left is not what was sent', async () => {
    const bytes = await breakOff();
    await receiver().query(
      `delete from lizsync.staged_changes where ctid = (select min(ctid) from lizsync.staged_changes)`,
    );
    await sync();
    expect(steps).toContainEqual(beginsAgain);
    expect(link.centralLine.passed[direction]).toBeGreaterThan(bytes * 0.9);
    await expectSynchronised(link);
  });

  it('begins again with --no-resume, and after a sync that went another way', async () => {
    await breakOff();
    await sync({ resume: false });
    expect(steps).not.toContainEqual(goesOn);
    await expectSynchronised(link);

    await breakOff();
    await link.synchronise('sql');
    await sync();
    expect(steps).not.toContainEqual(goesOn);
    await expectSynchronised(link);
  });

  it('is not gone on with when the sync is of other tables', async () => {
    await breakOff();
    await sync({ tables: [{ schema: 'test', table: 'item' }] });
    expect(steps).not.toContainEqual(goesOn);
    await sync();
    await expectSynchronised(link);
  });
});

describe('syncs over a line that breaks again and again, while people edit', () => {
  it.each([1, 2, 3])('end with equal databases, and with each try have less to send (%s)', async (round) => {
    const random = createRandom(round);
    const pick = (count: number): number => Math.floor(random() * count);
    // at most one open transaction in each database
    const late = new Map<TestDatabase, Awaited<ReturnType<TestDatabase['connect']>>>();
    let broken = 0;
    for (let attempt = 0; attempt < 12; attempt += 1) {
      link.repair();
      if (attempt % 4 === 0) {
        await clone.query(change('number % 2 = 0 and number % 10 < 8'));
        await central.query(change('number % 2 = 1 and number % 10 < 8'));
      }
      const line = random() < 0.5 ? link.centralLine : link.cloneLine;
      const direction: Direction = random() < 0.5 ? 'toServer' : 'toClient';
      line.cutAfter(direction, 300_000 + pick(1_200_000));
      await sync().catch(() => {
        broken += 1;
      });
      for (const database of [clone, central]) {
        const first = pick(rows);
        const part = `number between ${first} and ${first + pick(60)}`;
        // rows are told apart by the server that changes them, so that nothing is lost to a conflict, and those of
        // transactions that stay open by their last digit, so that nobody waits for them
        const own = `number % 2 = ${database === clone ? 0 : 1} and number % 10 < 8`;
        await database.query(change(`${part} and ${own}`, random() < 0.5 ? 'name' : 'other'));
        if (random() < 0.3) await database.query(`delete from test.item where ${part} and ${own} and number % 7 = 1`);
        if (random() < 0.3) {
          const number = 10_000 + 10 * pick(10_000) + (database === clone ? 2 : 3);
          await database.query(
            `insert into test.item (name, number) values ('${round} ${attempt} of ${number}', ${number})`,
          );
        }
        const open = late.get(database);
        if (open === undefined) {
          const client = await database.connect();
          await client.query(
            `begin; ${change(`number < ${rows} and number % 10 = ${database === clone ? 8 : 9}`, 'other')}`,
          );
          late.set(database, client);
        } else if (random() < 0.5) {
          await open.query(random() < 0.8 ? 'commit' : 'rollback');
          await open.end();
          late.delete(database);
        }
      }
    }
    for (const client of late.values()) {
      await client.query('commit');
      await client.end();
    }
    link.repair();
    await sync();
    await sync();
    expect(broken).toBeGreaterThan(2);
    expect(steps).toContainEqual(goesOn);
    expect(steps).not.toContainEqual(beginsAgain);
    await expectSynchronised(link);
  });
});

/** Numbers from 0 to 1, the same for each seed (mulberry32). */
function createRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let value = Math.imul(state ^ (state >>> 15), 1 | state);
    value = (value + Math.imul(value ^ (value >>> 7), 61 | value)) ^ value;
    return ((value ^ (value >>> 14)) >>> 0) / 4294967296;
  };
}
