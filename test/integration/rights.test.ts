import { beforeAll, describe, expect, it } from 'vitest';
import { grant } from '../../src/core/grant.js';
import { synchronize } from '../../src/core/sync.js';
import { createRole, type TestDatabase, type TestRole } from '../support/database.js';
import { type LinkedDatabases, linkDatabases } from '../support/link.js';
import { refusal } from '../support/refusal.js';
import { toSettings } from '../support/settings.js';

const tables = `
  create schema test; create schema secret;
  create table test.place (id integer primary key, name text);
  create table secret.salary (id integer primary key, uid uuid not null unique default gen_random_uuid(), amount integer);
  insert into test.place values (1, 'one'); insert into secret.salary (id, amount) values (1, 100);`;

describe('a role that was granted synchronisation', () => {
  let world: LinkedDatabases;
  let clone: TestDatabase;
  let other: TestDatabase;
  let atCentral: TestRole;
  let atClone: TestRole;

  beforeAll(async () => {
    world = await linkDatabases(tables, { cloneCount: 2 });
    [clone, other] = world.clones as [TestDatabase, TestDatabase];
    atCentral = await createRole(world.central.server);
    atClone = await createRole(clone.server);
  });

  const syncAsRoles = (database = clone, viaClone = false): ReturnType<typeof synchronize> =>
    synchronize({
      central: toSettings(atCentral.urlFor(world.central)),
      clone: toSettings(atClone.urlFor(database)),
      viaClone,
    });

  it('is refused before, with the grant to run', async () => {
    const before = await refusal(syncAsRoles());
    expect(before.message).toMatch(/may not synchronise .* permission denied/);
    expect(before.hint).toContain(`lizsync grant --clone --role ${atClone.name}`);
  });

  it('synchronises both ways without any right on the tables', async () => {
    await grant({
      server: toSettings(world.central.url),
      serverRole: 'central',
      role: atCentral.name,
      cloneName: 'clone1',
    });
    await grant({ server: toSettings(clone.url), serverRole: 'clone', role: atClone.name });
    await clone.query(`insert into test.place values (2, 'from the clone')`);
    await world.central.query(`update test.place set name = 'from the central' where id = 1`);

    expect(await syncAsRoles()).toMatchObject({ pushed: 1, pulled: 1, held: 0 });
    await clone.query(`update test.place set name = 'again' where id = 2`);
    expect(await syncAsRoles(clone, true)).toMatchObject({ pushed: 1 });
    // so many that they are committed part by part
    await clone.query(`insert into test.place select n, 'of the clone' from generate_series(1001, 3000) as n`);
    await world.central.query(
      `insert into test.place select n, 'of the central' from generate_series(3001, 5000) as n`,
    );
    expect(await syncAsRoles()).toMatchObject({ pushed: 2000, pulled: 2000, held: 0 });
    expect(await world.contents(clone)).toEqual(await world.contents(world.central));
  });

  it('cannot read or write a table, the log, the history or the lists', async () => {
    for (const [database, role] of [
      [world.central, atCentral],
      [clone, atClone],
    ] as const) {
      const client = await database.connect({ connectionString: role.urlFor(database) });
      for (const statement of [
        'select * from test.place',
        'update test.place set name = null',
        'select * from audit.logged_actions',
        'delete from audit.logged_actions',
        'update lizsync.history set pushed = 0',
        'update lizsync.links set position = pg_current_snapshot()',
        `insert into lizsync.link_relations select peer_id, 'secret', 'salary' from lizsync.links`,
        'select * from lizsync.staged_changes',
        'select * from lizsync.stages',
        'delete from lizsync.stages',
        'select * from lizsync.held_changes',
        'set session_replication_role = replica',
        'alter table test.place disable trigger all',
        `select lizsync.apply_changes(gen_random_uuid(), gen_random_uuid(), '1:1:', '1:1:', '1:1:', '0', '{}')`,
        `select audit.disable_relation('test', 'place')`,
        `select lizsync.grant_synchronisation('${role.name}', null)`,
      ]) {
        await expect(client.query(statement), statement).rejects.toThrow(/permission denied|must be owner/);
      }
      await client.end();
    }
  });

  it('cannot pose as another clone', async () => {
    const error = await refusal(
      synchronize({ central: toSettings(atCentral.urlFor(world.central)), clone: toSettings(other.url) }),
    );
    expect(error.message).toBe(`role ${atCentral.name} may not synchronise clone2`);
    expect(error.hint).toContain(`lizsync grant --central --role ${atCentral.name} --name clone2`);

    const client = await world.central.connect({ connectionString: atCentral.urlFor(world.central) });
    const otherId = await other.value<string>('select server_id from lizsync.server_metadata');
    await world.central.query(`update test.place set name = 'for clone2' where id = 1`);
    await expect(
      client.query(`select * from lizsync.outgoing_changes($1, '1:1:', '[]', null, '0')`, [otherId]),
    ).rejects.toThrow(/may not synchronise clone2/);
    const stage = `gen_random_uuid(), '${otherId}', '1:1:', '[]', null, '1:1:', null`;
    await expect(client.query(`call lizsync.keep_stage(${stage})`)).rejects.toThrow(/may not synchronise clone2/);
    const foreign = await world.central.value<string>(`
      insert into lizsync.stages (sync_id, peer_id, from_position, ahead, to_position)
      values (gen_random_uuid(), '${otherId}', '1:1:', '[]', '1:1:') returning sync_id`);
    await expect(client.query('call lizsync.continue_stage($1)', [foreign])).rejects.toThrow(
      /may not synchronise clone2/,
    );
    await world.central.query('delete from lizsync.stages');
    await client.end();
  });

  it('cannot write a table that its clone does not synchronise, nor in the name of others, nor in the future', async () => {
    const cloneId = await clone.value<string>('select server_id from lizsync.server_metadata');
    const otherId = await other.value<string>('select server_id from lizsync.server_metadata');
    const client = await world.central.connect({ connectionString: atCentral.urlFor(world.central) });
    const send = async (schema: string, table: string, values: string): Promise<void> => {
      const position = await world.central.value<string>(
        'select position::text from lizsync.links where peer_id = $1',
        [cloneId],
      );
      await client.query('begin isolation level read committed');
      const syncId = (await client.query('select gen_random_uuid() as id')).rows[0].id;
      await client.query(
        `insert into lizsync.staged_changes (sync_id, schema_name, table_name, uid, action, origin_server_id, changed_at,
           corrected_at, new_values)
         values ($1, $2, $3, md5('forged')::uuid, 'I', $4, '2100-01-01', '2100-01-01', $5)`,
        [syncId, schema, table, otherId, values],
      );
      await client.query(`select lizsync.receive_changes($1, $2, $3, $3, '1:1:', '{"transport": "cli"}')`, [
        syncId,
        cloneId,
        position,
      ]);
      await client.query('commit');
    };
    await expect(send('secret', 'salary', '"id"=>"7","amount"=>"7"')).rejects.toThrow(/secret.salary/);
    await client.query('rollback');
    await send('test', 'place', '"id"=>"7","name"=>"seven"');
    await client.end();

    const [event] = await world.central.query(
      `select origin_server_id, corrected_at <= clock_timestamp() as possible from audit.logged_actions
       where uid = md5('forged')::uuid`,
    );
    expect(event).toEqual({ origin_server_id: cloneId, possible: true });
  });

  it('and any other role that may write a table cannot keep its changes out of the log or choose their origin', async () => {
    const writer = await createRole(world.central.server);
    await world.central.query(
      `grant usage on schema test to ${writer.name}; grant all on test.place to ${writer.name}`,
    );
    const client = await world.central.connect({ connectionString: writer.urlFor(world.central) });
    await client.query(`set lizsync_audit.last_event = '999999999'`);
    await client.query(`set lizsync.origin = 'x'`);
    await client.query(`insert into test.place values (50, 'logged')`);
    await client.end();
    expect(
      await world.central.query(
        `select s.session_user_name, a.origin_server_id, a.received_from
         from audit.logged_actions a join audit.logged_statements s using (statement_id)
         where a.new_values -> 'id' = '50'`,
      ),
    ).toEqual([{ session_user_name: writer.name, origin_server_id: null, received_from: null }]);
    await world.central.query(
      `revoke all on test.place from ${writer.name}; revoke all on schema test from ${writer.name}`,
    );
  });
});
