import { describe, expect, test } from 'vitest';
import { type LinkedDatabases, linkDatabases } from '../support/link.js';

/** Synchronises all clones until nothing moves any more, and returns what they all have then. */
async function comeToRest(linked: LinkedDatabases): Promise<Record<string, unknown[]>> {
  for (let round = 0; round < 3; round += 1) {
    for (const clone of linked.clones) await linked.sync(clone);
  }
  const contents = await linked.contents(linked.central);
  for (const clone of linked.clones) expect(await linked.contents(clone)).toEqual(contents);
  return contents;
}

describe('Histories that the model test has found', () => {
  test('A row that RESTRICT brings back brings back the row whose deletion would cascade to it', async () => {
    const linked = await linkDatabases(`
      create schema test;
      create table test.parent (id integer primary key);
      create table test.child (id integer primary key, parent integer references test.parent on delete cascade);
      create table test.grandchild (id integer primary key, child integer references test.child on delete restrict);
      insert into test.parent values (1);
      insert into test.child values (1, 1);
    `);
    const [clone] = linked.clones;
    await linked.central.query('delete from test.parent');
    await clone?.query('insert into test.grandchild values (1, 1)');
    const contents = await comeToRest(linked);
    expect(Object.values(contents).map((rows) => rows.length)).toEqual([1, 1, 1]);
  });
});
