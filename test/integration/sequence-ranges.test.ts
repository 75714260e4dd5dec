import { describe, expect, it } from 'vitest';
import type { TestDatabase } from '../support/database.js';
import { linkDatabases, transports } from '../support/link.js';
import { expectSynchronised } from '../support/synchronised.js';

async function insert(database: TestDatabase, table: string, count = 1): Promise<number[]> {
  const ids: number[] = [];
  for (let n = 0; n < count; n += 1) {
    ids.push(Number(await database.value(`insert into ${table} default values returning id`)));
  }
  return ids;
}

describe('three clones that insert parents and children offline', () => {
  it.each(transports)('keep every id, and every integer foreign key (%s)', async (transport) => {
    const world = await linkDatabases(
      `create schema test;
       create table test.parent (id serial primary key, name text);
       create table test.child (id bigint generated always as identity primary key,
         parent_id integer not null references test.parent, name text);
       insert into test.parent (name) values ('first'), ('second');
       insert into test.child (parent_id, name) values (1, 'first');`,
      { cloneCount: 3 },
    );
    const { central, clones, sync } = world;
    for (let round = 0; round < 2; round += 1) {
      for (const [number, database] of [central, ...clones].entries()) {
        await database.query(`
          with parents as (
            insert into test.parent (name) select format('parent %s of %s in ${round}', n, ${number}) from generate_series(1, 20) as n
            returning id
          )
          insert into test.child (parent_id, name) select id, format('child of %s in ${round}', id) from parents`);
      }
      for (const clone of [...clones, ...clones]) {
        expect(await sync(clone, transport)).toMatchObject({ conflicts: 0, held: 0 });
      }
    }
    await expectSynchronised(world);
    expect(
      await central.query(`
        select count(*)::integer as children, count(distinct c.id)::integer as ids
        from test.child as c join test.parent as p on p.id = c.parent_id
        where c.name like 'child%' and c.name like format('child of %s in %%', p.id)`),
    ).toEqual([{ children: 160, ids: 160 }]);
    // the central goes on with its own numbers, and its sequences stay as they are
    expect(await insert(central, 'test.parent')).toEqual([43]);
    expect(
      await central.query('select seqmin::text, seqmax::text from pg_sequence where seqrelid = $1::regclass', [
        'test.parent_id_seq',
      ]),
    ).toEqual([{ seqmin: '1', seqmax: '2147483647' }]);
  });
});
