import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { runLizsync } from '../support/cli.js';
import type { TestDatabase } from '../support/database.js';
import { type LinkedDatabases, linkDatabases, transports } from '../support/link.js';
import { expectConvergence, waitUntil } from '../support/synchronised.js';
import { setClock } from '../support/wrong-clock.js';

let link: LinkedDatabases;
let central: TestDatabase;
let clone: TestDatabase;
let other: TestDatabase;

beforeAll(async () => {
  link = await linkDatabases(
    'create schema test; create table test.item (id integer primary key, number integer, note text)',
    { cloneCount: 2 },
  );
  central = link.central;
  [clone, other] = link.clones as [TestDatabase, TestDatabase];
});

beforeEach(async () => {
  await setClock(clone, '0');
  await link.reset('insert into test.item (id, number) select n, 0 from generate_series(1, 3) as n');
});

const day = 24 * 60 * 60 * 1000;

async function set(database: TestDatabase, id: number, number: number): Promise<void> {
  await database.query('update test.item set number = $2 where id = $1', [id, number]);
}

async function get(database: TestDatabase, id: number): Promise<number> {
  return await database.value<number>('select number from test.item where id = $1', [id]);
}

const wrongClocks = [
  { ahead: '1 day', transport: 'cli' },
  { ahead: '-1 day', transport: 'sql' },
] as const;

describe('a clone whose clock is wrong (behaviour 8)', () => {
  it.each(wrongClocks)('wins a conflict only if its edit was the later one ($ahead, $transport)', async (way) => {
    await setClock(clone, way.ahead);
    await set(clone, 1, 10);
    await set(central, 2, 20);
    // clocks are compared as exactly as a round trip allows, which is not much on a busy machine
    const before = await central.value('select clock_timestamp()');
    await waitUntil(central, `select clock_timestamp() > $1::timestamptz + interval '1 second'`, [before]);
    await set(central, 1, 11);
    await set(clone, 2, 21);
    expect(await link.sync(clone, way.transport)).toMatchObject({ conflicts: 2 });
    expect([await get(central, 1), await get(central, 2)]).toEqual([11, 21]);
    await expectConvergence(link);
  });

  it.each(wrongClocks)('neither beats nor loses to who has seen its value ($ahead, $transport)', async (way) => {
    await setClock(clone, way.ahead);
    await set(clone, 1, 1);
    await link.sync(clone, way.transport);
    await link.sync(other, way.transport);
    await set(other, 1, 2);
    await link.sync(other, way.transport);
    await link.sync(clone, way.transport);
    expect(await get(clone, 1)).toBe(2);
    await set(clone, 1, 3);
    await link.sync(clone, way.transport);
    await link.sync(other, way.transport);
    expect([await get(central, 1), await get(other, 1)]).toEqual([3, 3]);
    expect(await central.value('select count(*)::integer from lizsync.conflicts')).toBe(0);
    await expectConvergence(link);
  });

  it.each(transports)('that is set back between two edits keeps the second one (%s)', async (transport) => {
    await setClock(clone, '1 day');
    await set(clone, 1, 1);
    await setClock(clone, '-1 day');
    await set(clone, 1, 2);
    await link.sync(clone, transport);
    expect(await get(central, 1)).toBe(2);
    await expectConvergence(link);
    expect([await get(clone, 1), await get(other, 1)]).toEqual([2, 2]);
  });

  it.each(transports)('that is set back between two edits converges in a conflict, too (%s)', async (transport) => {
    await setClock(clone, '1 day');
    await set(clone, 1, 1);
    await set(central, 1, 10);
    await setClock(clone, '0');
    await set(clone, 1, 2);
    await set(other, 1, 20);
    await link.sync(clone, transport);
    await link.sync(other, transport);
    await expectConvergence(link);
    // of the clone's own edits the second counts, whatever it is compared with
    expect([2, 10, 20]).toContain(await get(central, 1));
    const future = 'select count(*)::integer from audit.logged_actions where corrected_at > clock_timestamp()';
    expect(await central.value(future)).toBe(0);
    // and an edit by who has seen the outcome beats it
    await set(other, 1, 30);
    await link.sync(other, transport);
    await expectConvergence(link);
    expect(await get(clone, 1)).toBe(30);
  });

  it.each(wrongClocks)('is measured and recorded on both sides ($ahead, $transport)', async ({ ahead, transport }) => {
    await setClock(clone, ahead);
    const { sync_id: syncId, clock_offset_ms: offset } = await link.sync(clone, transport);
    const expected = ahead === '1 day' ? day : -day;
    expect(Math.abs(offset - expected)).toBeLessThan(1000);
    for (const database of [central, clone]) {
      for (const recorded of [
        await database.value('select extract(epoch from clock_offset) * 1000 from lizsync.history where sync_id = $1', [
          syncId,
        ]),
        await database.value(
          'select extract(epoch from clock_offset) * 1000 from lizsync.links where last_sync_id = $1',
          [syncId],
        ),
      ]) {
        expect(Math.abs(Number(recorded) - expected)).toBeLessThan(1000);
      }
    }
    // when it happened by either clock
    await set(clone, 1, 5);
    await link.sync(clone, transport);
    const [event] = await central.query<{ raw: string; corrected: string }>(`
      select extract(epoch from changed_at - clock_timestamp()) * 1000 as raw,
        extract(epoch from corrected_at - clock_timestamp()) * 1000 as corrected
      from audit.logged_actions order by event_id desc limit 1`);
    expect(Math.abs(Number(event?.raw) - expected)).toBeLessThan(30_000);
    expect(Math.abs(Number(event?.corrected))).toBeLessThan(30_000);
  });

  it.each([
    {
      ahead: '6 seconds',
      via: [],
      code: 3,
      // half of what the question took may be missing or too much
      text: /the clock of the clone is (6(\.\d)?|5\.[5-9]) s ahead of the clock of the central/,
    },
    {
      ahead: '-6 seconds',
      via: ['--via-clone'],
      code: 3,
      text: /the clock of the clone is (6(\.[0-5])?|5\.[5-9]) s behind the clock/,
    },
    { ahead: '4 seconds', via: [], code: 0, text: /^(?!.*clock)/s },
  ])('by $ahead ends the program with $code', async ({ ahead, via, code, text }) => {
    await setClock(clone, ahead);
    const urls = via.length > 0 ? [] : ['--central', central.url];
    const result = await runLizsync(['sync', ...urls, '--clone', clone.url, ...via]);
    expect(result, result.stderr).toMatchObject({ code });
    expect(result.stderr).toMatch(text);
  });
});
