import { beforeEach, describe, expect, it } from 'vitest';
import { runLizsync } from '../support/cli.js';
import { createRole, type TestDatabase } from '../support/database.js';
import { type LinkedDatabases, linkDatabases } from '../support/link.js';
import { getTestServer } from '../support/server.js';

const tables = `
  create schema test;
  create table test.place (
    id integer primary key, "Name" text, code text unique, height integer constraint high check (height < 5000)
  );
  insert into test.place (id, "Name", code, height) select n, 'name ' || n, 'c' || n, n from generate_series(1, 4) as n;
`;

let world: LinkedDatabases;
let central: TestDatabase;
let clone: TestDatabase;
/** The environment in which the program knows both servers. */
let env: Record<string, string>;

beforeEach(async () => {
  world = await linkDatabases(tables, { cloneCount: 2 });
  central = world.central;
  clone = world.clones[0] as TestDatabase;
  env = { LIZSYNC_CENTRAL: central.url, LIZSYNC_CLONE: clone.url };
});

/** Two rows with one unique value: each server holds the other's. */
async function holdInserts(): Promise<void> {
  await clone.query(`insert into test.place (id, "Name", code) values (20, 'of the clone', 'same')`);
  await central.query(`insert into test.place (id, "Name", code) values (21, 'of the central', 'same')`);
  expect(await world.sync(clone)).toMatchObject({ held: 2 });
}

/** The central refuses an update of the clone, whose constraint has gone. */
async function holdUpdate(): Promise<void> {
  await clone.query('alter table test.place drop constraint high');
  await clone.query(`update test.place set height = 9000, "Name" = 'too high' where id = 1`);
  expect(await world.sync(clone)).toMatchObject({ held: 1 });
}

/** After the syncs of everybody all are equal and nothing is held. */
async function expectEqual(): Promise<void> {
  for (let round = 0; round < 2; round += 1) for (const each of world.clones) await world.sync(each);
  const expected = await world.contents(central);
  for (const each of world.clones) {
    expect(await world.sync(each)).toMatchObject({ pushed: 0, pulled: 0, held: 0 });
    expect(await world.contents(each)).toEqual(expected);
  }
}

async function heldId(database: TestDatabase): Promise<string> {
  return await database.value<string>('select held_id from lizsync.held_changes');
}

function discarded(database: TestDatabase): Promise<unknown[]> {
  return database.query(`
    select winning_values::text as winning, losing_values::text as losing from lizsync.conflicts
    where kind = 'held_discarded' order by conflict_id`);
}

describe('lizsync held', () => {
  it('says that nothing is held, and ends with 0', async () => {
    const result = await runLizsync(['held'], { env });
    expect(result).toMatchObject({ code: 0, stderr: '' });
    expect(result.stdout).toBe('central central: 0 held changes\nclone clone1: 0 held changes\n');
  });

  it('lists what both servers hold of each other, why and since when, and ends with 3', async () => {
    await holdInserts();
    const result = await runLizsync(['held'], { env });
    expect(result.code).toBe(3);
    expect(result.stdout).toMatch(
      /^central central: 1 held change\n {2}1: insert test\.place [-0-9a-f]{36}, from clone1, held since 20/,
    );
    expect(result.stdout).toContain('violates unique constraint "place_code_key" (23505)\n    Name = "of the clone"\n');
    expect(result.stdout).toContain('clone clone1: 1 held change\n');
    expect(result.stdout).toContain('    height = null\n');
    expect(result.stderr).toContain('warning: 2 changes could not be applied');
    expect(result.stderr).toContain('hint: ');
  });

  it('prints with --json the full change with the names of its columns as they are', async () => {
    await holdInserts();
    const { code, json } = await runLizsync(['held', '--json'], { env });
    expect(code).toBe(3);
    const [ofCentral] = json.servers[0].held;
    expect(json.servers[0]).toMatchObject({ role: 'central', server: 'central', held: [expect.any(Object)] });
    expect(json.servers[1]).toMatchObject({ role: 'clone', server: 'clone1', held: [expect.any(Object)] });
    expect(ofCentral).toMatchObject({
      held_id: 1,
      peer_name: 'clone1',
      schema: 'test',
      table: 'place',
      uid: expect.any(String),
      action: 'insert',
      sqlstate: '23505',
      message: expect.stringContaining('place_code_key'),
      held_since: expect.stringMatching(/^20/),
      last_tried_at: expect.stringMatching(/^20/),
    });
    expect(ofCentral.parts).toEqual([
      {
        origin_server_id: await clone.value('select server_id from lizsync.server_metadata'),
        changed_at: expect.stringMatching(/^20/),
        values: [
          { column: 'Name', value: 'of the clone', is_shortened: false },
          { column: 'code', value: 'same', is_shortened: false },
          { column: 'height', value: null, is_shortened: false },
          { column: 'id', value: '20', is_shortened: false },
        ],
      },
    ]);
  });

  it('shows people the beginning of a long value', async () => {
    await holdInserts();
    await clone.query(`update test.place set "Name" = repeat('long ', 100) where id = 20`);
    await world.sync(clone);
    const { stdout } = await runLizsync(['held', '--central', central.url]);
    expect(stdout).toContain(`    Name = "${'long '.repeat(12)}"...\n`);
  });

  it('asks only the server that is named, and the central then for all clones', async () => {
    await holdInserts();
    const other = world.clones[1] as TestDatabase;
    await other.query(`insert into test.place (id, code) values (30, 'same')`);
    await world.sync(other);
    const list = async (args: string[]): Promise<[string, number][]> => {
      const { json } = await runLizsync(['held', ...args, '--json'], { env });
      return json.servers.map((server: { server: string; held: unknown[] }) => [server.server, server.held.length]);
    };
    expect(await list(['--central'])).toEqual([['central', 2]]);
    expect(await list(['--clone'])).toEqual([['clone1', 1]]);
    expect(await list([])).toEqual([
      ['central', 1],
      ['clone1', 1],
    ]);
  });

  it('keeps the number of a change from sync to sync', async () => {
    await holdInserts();
    const before = await heldId(central);
    await world.sync(clone);
    expect(await heldId(central)).toBe(before);
  });

  it('asks for a connection when none is known, and refuses a database of the other role', async () => {
    expect(await runLizsync(['held'])).toMatchObject({ code: 2 });
    expect(await runLizsync(['held', '--central', clone.url])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('is not a central but a clone'),
    });
  });

  it('answers a role that may only synchronise about its own link', async () => {
    await holdInserts();
    const role = await createRole(getTestServer());
    const options = ['--role', role.name, '--name', 'clone2'];
    expect(await runLizsync(['grant', '--central', central.url, ...options])).toMatchObject({ code: 0 });
    const refused = await runLizsync(['held', '--central', role.urlFor(central)]);
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('may not synchronise clone1') });
    const discard = ['held', 'discard', '1', '--yes', '--central', role.urlFor(central)];
    expect(await runLizsync(discard)).toMatchObject({ code: 1 });
  });
});

describe('lizsync held retry', () => {
  it('applies the changes whose cause has gone, without a sync', async () => {
    await holdInserts();
    await central.query(`update test.place set code = 'another' where id = 21`);
    const result = await runLizsync(['held', 'retry', '--central', '--json'], { env });
    expect(result).toMatchObject({
      code: 0,
      json: { servers: [{ role: 'central', server: 'central', tried: 1, rows: 1, conflicts: 0, held: 0 }] },
    });
    expect(await central.value('select "Name" from test.place where id = 20')).toBe('of the clone');
    await expectEqual();
  });

  it('says how many are still held and ends with 3', async () => {
    await holdInserts();
    const result = await runLizsync(['held', 'retry'], { env });
    expect(result).toMatchObject({ code: 3, stderr: expect.stringContaining('2 changes still could not be applied') });
    expect(result.stdout).toContain('central central: 0 of 1 held change applied, 1 change still held\n');
    expect(await runLizsync(['held', 'retry', '--clone'], { env })).toMatchObject({ code: 3 });
  });

  it('is not counted as a sync', async () => {
    await holdInserts();
    const read = (): Promise<unknown> =>
      central.query(
        'select last_synchronised_at::text, position::text, peer_position::text, last_sync_id from lizsync.links',
      );
    const before = await read();
    await runLizsync(['held', 'retry'], { env });
    expect(await read()).toEqual(before);
    expect(await central.value('select count(*)::integer from lizsync.history')).toBe(1);
  });

  it('does not disturb a sync that is running: it ends with 4', async () => {
    await holdInserts();
    const running = await central.connect();
    await running.query('begin');
    await running.query('select lizsync.lock_link(peer_id) from lizsync.held_changes');
    expect(await runLizsync(['held', 'retry', '--central'], { env })).toMatchObject({ code: 4 });
    const discard = ['held', 'discard', '1', '--central', '--yes'];
    expect(await runLizsync(discard, { env })).toMatchObject({ code: 4 });
  });

  it('does not win against what was changed here since the change was held', async () => {
    await holdUpdate();
    await central.query(`update test.place set "Name" = 'later' where id = 1`);
    for (const database of [central, world.clones[1] as TestDatabase]) {
      await database.query('alter table test.place drop constraint high');
    }
    expect(await runLizsync(['held', 'retry', '--central'], { env })).toMatchObject({ code: 0 });
    expect(await central.query('select "Name", height from test.place where id = 1')).toEqual([
      { Name: 'later', height: 9000 },
    ]);
    await expectEqual();
  });
});

describe('lizsync held discard', () => {
  it('wants --yes, one server and a number that is held', async () => {
    await holdInserts();
    const refuse = async (args: string[], message: string): Promise<void> => {
      const result = await runLizsync(['held', 'discard', ...args], { env });
      expect(result).toMatchObject({ code: 2, stderr: expect.stringContaining(message) });
      expect(result.stderr).toContain('hint: ');
    };
    await refuse(['1', '--central'], 'does not come back');
    await refuse(['1', '--yes'], 'say which server holds the change');
    await refuse(['99', '--central', '--yes'], 'holds no change with the number 99');
    await refuse(['one', '--central', '--yes'], 'one is not the number of a held change');
    await refuse([], "missing required argument 'id'");
    expect(await central.value('select count(*)::integer from lizsync.held_changes')).toBe(1);
  });

  const discardAt = async (database: TestDatabase): Promise<string> => {
    const role = database === central ? '--central' : '--clone';
    const result = await runLizsync(['held', 'discard', await heldId(database), role, '--yes'], { env });
    expect(result).toMatchObject({ code: 0, stderr: '' });
    return result.stdout;
  };

  it('of a refused insert deletes the row at its sender: a clone', async () => {
    await holdInserts();
    expect(await discardAt(central)).toContain('the next sync deletes the row in clone1, too');
    await expectEqual();
    expect(await clone.query('select id, "Name" from test.place where code = $1', ['same'])).toEqual([
      { id: 21, Name: 'of the central' },
    ]);
    expect(await discarded(central)).toEqual([
      { winning: null, losing: '"id"=>"20", "Name"=>"of the clone", "code"=>"same", "height"=>NULL' },
    ]);
  });

  it('of a refused insert deletes the row at its sender: the central, and with it everywhere', async () => {
    await holdInserts();
    await world.sync(world.clones[1]);
    await discardAt(clone);
    await expectEqual();
    expect(await central.query('select id, "Name" from test.place where code = $1', ['same'])).toEqual([
      { id: 20, Name: 'of the clone' },
    ]);
    expect(await discarded(clone)).toHaveLength(1);
  });

  it('of a refused update gives the sender the values that the receiver has', async () => {
    await holdUpdate();
    expect(await discardAt(central)).toContain('gives the row in clone1 the values that it has in central');
    await expectEqual();
    expect(await clone.query('select "Name", height from test.place where id = 1')).toEqual([
      { Name: 'name 1', height: 1 },
    ]);
    expect(await discarded(central)).toEqual([
      { winning: '"Name"=>"name 1", "height"=>"1"', losing: '"Name"=>"too high", "height"=>"9000"' },
    ]);
  });

  it('of a refused delete brings the row back', async () => {
    await central.query(`
      create function test.keep() returns trigger language plpgsql as 'begin return null; end';
      create trigger keep before delete on test.place for each row execute function test.keep();
      alter table test.place enable always trigger keep`);
    await clone.query('delete from test.place where id = 1');
    expect(await world.sync(clone)).toMatchObject({ held: 1 });
    expect(await discardAt(central)).toContain('brings the row back in clone1');
    await expectEqual();
    expect(await clone.query('select "Name", code, height from test.place where id = 1')).toEqual([
      { Name: 'name 1', code: 'c1', height: 1 },
    ]);
  });

  it('of an update of a row that the receiver does not have deletes the row everywhere', async () => {
    const superuser = await clone.connect();
    await superuser.query('set session_replication_role = replica');
    await superuser.query('delete from test.place where id = 1');
    await superuser.end();
    await central.query(`update test.place set "Name" = 'changed' where id = 1`);
    expect(await world.sync(clone)).toMatchObject({ held: 1 });
    await discardAt(clone);
    await expectEqual();
    expect(await central.query('select from test.place where id = 1')).toEqual([]);
  });

  it('meets a later change of the sender as any change would', async () => {
    await holdUpdate();
    await discardAt(central);
    await clone.query(`update test.place set height = 7, "Name" = 'later' where id = 1`);
    await expectEqual();
    expect(await central.query('select "Name", height from test.place where id = 1')).toEqual([
      { Name: 'later', height: 7 },
    ]);
  });

  it('is logged with who did it', async () => {
    await holdInserts();
    await discardAt(central);
    expect(
      await central.value(`
        select client_query like '%discard_held_change%' from audit.logged_statements order by statement_id desc limit 1`),
    ).toBe(true);
  });
});
