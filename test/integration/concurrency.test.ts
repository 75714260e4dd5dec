import { describe, expect, it } from 'vitest';
import { type SynchronizeResult, synchronize } from '../../src/core/sync.js';
import { LizsyncError } from '../../src/errors.js';
import { runLizsync } from '../support/cli.js';
import type { TestDatabase } from '../support/database.js';
import { createFaultyLink } from '../support/faulty-link.js';
import { linkDatabases, type Transport, transports } from '../support/link.js';
import { toSettings } from '../support/settings.js';
import { expectNothingLeft, expectSynchronised, waitForBlocked } from '../support/synchronised.js';

/** The exit code of a refused sync, or undefined when it was done. */
async function exitCodeOf(sync: Promise<SynchronizeResult>): Promise<number | undefined> {
  return sync.then(
    () => undefined,
    (error: unknown) => {
      expect(error).toBeInstanceOf(LizsyncError);
      return (error as LizsyncError).exitCode;
    },
  );
}

describe('two syncs of one link (behaviour 11)', () => {
  const pairs = transports.flatMap((first) => transports.map((second) => ({ first, second })));
  it.each(pairs)('end the second with 4 at once, while the first works ($first, then $second)', async (pair) => {
    const link = await createFaultyLink();
    const { central, clone } = link;
    for (const [database, table] of [
      [central, 'test.item'],
      [central, 'lizsync.history'],
      [clone, 'test.item'],
      [clone, 'lizsync.history'],
    ] as const) {
      await link.change();
      const holder = await database.connect();
      await holder.query(`begin; lock table ${table} in exclusive mode`);
      const first = link.synchronise(pair.first);
      await waitForBlocked(database);
      const startedAt = Date.now();
      const second = link.sync(clone, pair.second);
      await expect(second).rejects.toMatchObject({ exitCode: 4, message: expect.stringContaining('another sync') });
      expect(Date.now() - startedAt).toBeLessThan(5000);
      await holder.query('rollback');
      await holder.end();
      await first;
      await expectSynchronised(link);
    }
  });

  it('exits 4 as a program', async () => {
    const link = await createFaultyLink();
    const { central, clone } = link;
    await link.change();
    const holder = await central.connect();
    await holder.query('begin; lock table test.item in exclusive mode');
    const first = link.synchronise();
    await waitForBlocked(central);
    const second = await runLizsync(['sync', '--central', central.url, '--clone', clone.url]);
    expect(second).toMatchObject({ code: 4, stderr: expect.stringContaining('another sync of this link is running') });
    await holder.query('rollback');
    await first;
    await expectSynchronised(link);
  });

  it('let the first go on when the second takes the lock between two transactions of the first', async () => {
    const link = await createFaultyLink();
    const { clone } = link;
    await link.change();
    const holder = await clone.connect();
    await holder.query('begin; lock table lizsync.staged_changes in exclusive mode');
    const first = link.synchronise();
    await waitForBlocked(clone);
    // the second's first step; the next one would tell it that the central is taken
    const second = await clone.connect();
    await second.query('begin; select lizsync.get_clone_state()');
    await holder.query('rollback');
    await waitForBlocked(clone);
    await second.query('rollback');
    await first;
    await expectSynchronised(link);
  });

  it('never both give up', async () => {
    const link = await createFaultyLink();
    const { central, clone } = link;
    const start = (transport: Transport): Promise<number | undefined> =>
      exitCodeOf(
        synchronize({
          central: toSettings(central.url),
          clone: toSettings(clone.url),
          viaClone: transport === 'sql',
        }),
      );
    for (let round = 0; round < 10; round += 1) {
      await link.change();
      const codes = await Promise.all([start('cli'), start('cli'), start('cli'), start('sql')]);
      expect(codes).toContain(undefined);
      for (const code of codes) expect([undefined, 4]).toContain(code);
    }
    await link.synchronise();
    await expectSynchronised(link);
  });
});

describe('five clones at the same time (behaviour 11)', () => {
  it.each(transports)('all finish while people write everywhere, and are equal afterwards (%s)', async (transport) => {
    const link = await linkDatabases(
      `create schema test;
       create table test.item (id uuid primary key default gen_random_uuid(), name text, number integer);
       create table test.part (
         id uuid primary key default gen_random_uuid(), item_id uuid references test.item on delete cascade, name text
       );
       insert into test.item (name, number) select 'shared ' || n, 0 from generate_series(1, 10) as n;`,
      { cloneCount: 5 },
    );
    const { central, clones, sync } = link;
    let writing = true;
    const write = async (database: TestDatabase, name: string): Promise<void> => {
      for (let number = 1; writing; number += 1) {
        await database.query(`
          insert into test.item (name, number) values ('${name}', ${number});
          update test.item set number = ${number}, name = 'shared by ${name}'
          where id = (select id from test.item where name like 'shared%' order by id offset ${number % 10} limit 1);
          insert into test.part (item_id, name) select id, '${name} ${number}' from test.item where name = '${name}' and number = ${number};
          delete from test.item where name = '${name}' and number = ${number - 3};`);
      }
    };
    const writers = [central, ...clones].map((database, number) => write(database, `writer ${number}`));
    for (let round = 0; round < 3; round += 1) {
      const results = await Promise.allSettled(clones.map((clone) => sync(clone, transport)));
      expect(results.filter(({ status }) => status === 'rejected')).toEqual([]);
    }
    writing = false;
    await Promise.all(writers);
    for (let round = 0; round < 2; round += 1) await Promise.all(clones.map((clone) => sync(clone, 'cli')));
    const expected = await link.contents(central);
    for (const clone of clones) expect(await link.contents(clone)).toEqual(expected);
    for (const database of [central, ...clones]) await expectNothingLeft(database);
    for (const clone of clones) expect(await sync(clone)).toMatchObject({ pushed: 0, pulled: 0, held: 0 });
  });
});
