import { describe, expect, it } from 'vitest';
import { runLizsync } from '../support/cli.js';
import type { TestDatabase } from '../support/database.js';
import { linkDatabases } from '../support/link.js';
import { refusal } from '../support/refusal.js';

const tables = `
  create schema test;
  create table test.item (id integer generated always as identity primary key, name text);
`;

interface Range {
  clone: string | null;
  numbers: number;
}

/** The ranges of the central, from the lowest numbers on. */
function listRanges(central: TestDatabase): Promise<Range[]> {
  return central.query<{ clone: string | null; numbers: number }>(`
    select l.peer_name as clone, (r.upper_value - r.lower_value + 1)::integer as numbers
    from lizsync.sequence_ranges as r left join lizsync.links as l on l.peer_id = r.clone_id
    order by r.lower_value`);
}

describe('retire', () => {
  it('ends the link of a clone, and takes back the numbers that it has not drawn', async () => {
    const { central, clones, sync } = await linkDatabases(tables, { cloneCount: 2 });
    const [gone, stays] = clones as [TestDatabase, TestDatabase];
    await gone.query(`insert into test.item (name) values ('first'), ('second')`);
    await sync(gone);
    await gone.query(`insert into test.item (name) values ('not sent')`);
    const before = await listRanges(central);
    const size = before.find(({ clone }) => clone === 'clone1')?.numbers ?? 0;
    expect(size).toBeGreaterThan(1000);

    const result = await runLizsync(['retire', 'clone1', '--central', central.url, '--json']);
    expect(result).toMatchObject({ code: 0, json: { clone_name: 'clone1', ranges_returned: 1 } });
    const after = await listRanges(central);
    expect(after.filter(({ clone }) => clone === 'clone1')).toEqual([{ clone: 'clone1', numbers: 2 }]);
    expect(after.filter(({ clone }) => clone === null)).toEqual([{ clone: null, numbers: size - 2 }]);
    expect(after.filter(({ clone }) => clone === 'clone2')).toEqual(before.filter(({ clone }) => clone === 'clone2'));

    const error = await refusal(sync(gone));
    expect(error.message).toMatch(/does not know the clone clone1 any more: it was retired/);
    expect(error.hint).toContain('Deploy a package');
    expect(await central.value(`select count(*)::integer from test.item`)).toBe(2);
    await sync(stays);
    expect(await stays.value(`select count(*)::integer from test.item`)).toBe(2);
  });

  it('keeps nothing for a retired clone when the log is pruned', async () => {
    const { central, clones, sync } = await linkDatabases(tables, { cloneCount: 2 });
    const [, stays] = clones as [TestDatabase, TestDatabase];
    await central.query(`insert into test.item (name) values ('logged')`);
    await sync(stays);
    await sync(stays);
    const prune = ['prune', '--central', central.url, '--keep', '0h', '--json'];
    await expect
      .poll(async () => (await runLizsync(prune)).json, { timeout: 20_000 })
      .toMatchObject({ removed: 0, held_back_by: { name: 'clone1' } });
    expect(await runLizsync(['retire', 'clone1', '--central', central.url])).toMatchObject({ code: 0 });
    await expect.poll(async () => (await runLizsync(prune)).json, { timeout: 20_000 }).toMatchObject({ removed: 1 });
  });

  it('names the clones that there are when it is given another name', async () => {
    const { central, clones } = await linkDatabases(tables);
    const unknown = await runLizsync(['retire', 'tablet', '--central', central.url]);
    expect(unknown.code).toBe(2);
    expect(unknown.stderr).toMatch(/has no clone called tablet[\s\S]*clones: clone1 \(/);
    expect(await runLizsync(['retire', 'clone1', '--central', clones[0]?.url ?? ''])).toMatchObject({ code: 1 });
    expect(await runLizsync(['retire', 'clone1', '--central', central.url])).toMatchObject({ code: 0 });
    expect(await runLizsync(['retire', 'clone1', '--central', central.url])).toMatchObject({ code: 2 });
  });
});
