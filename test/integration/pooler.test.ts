import type pg from 'pg';
import { beforeAll, expect, test } from 'vitest';
import { synchronize } from '../../src/core/sync.js';
import type { TestDatabase } from '../support/database.js';
import { type LinkedDatabases, linkDatabases } from '../support/link.js';
import { createPooler, type Pooler } from '../support/pooler.js';
import { toSettings } from '../support/settings.js';
import { expectSynchronised } from '../support/synchronised.js';

let link: LinkedDatabases;
let central: TestDatabase;
let clone: TestDatabase;
let poolers: { central: Pooler; clone: Pooler };

beforeAll(async () => {
  link = await linkDatabases('create schema test; create table test.item (id integer primary key, name text)');
  central = link.central;
  clone = link.clones[0] as TestDatabase;
  poolers = { central: await createPooler(central), clone: await createPooler(clone) };
});

/** All that a session can carry over from one user to the next. */
async function look(session: pg.Client): Promise<unknown> {
  const { rows } = await session.query(`
    select
      (select jsonb_object_agg(s.name, s.setting) from pg_settings as s where s.setting is distinct from s.reset_val) as settings,
      (select array_agg(p.name) from pg_prepared_statements as p) as statements,
      (select array_agg(c.name) from pg_cursors as c where c.statement not like '%pg_cursors%') as cursors,
      (select array_agg(l.objid) from pg_locks as l where l.locktype = 'advisory' and l.pid = pg_backend_pid()) as locks,
      array(select pg_listening_channels()) as channels,
      (select array_agg(c.relname) from pg_class as c where c.relnamespace = pg_my_temp_schema()) as temporary_tables,
      current_user as user, session_user as session_user`);
  return rows[0];
}

const sessions = (): pg.Client[] => [...poolers.central.sessions, ...poolers.clone.sessions];

function sync(viaClone = false): ReturnType<typeof synchronize> {
  return synchronize({ central: toSettings(poolers.central.url), clone: toSettings(poolers.clone.url), viaClone });
}

async function edit(name: string, id: number): Promise<void> {
  await central.query('insert into test.item values ($1, $2)', [id, `central ${name}`]);
  await clone.query('insert into test.item values ($1, $2)', [id + 1, `clone ${name}`]);
}

test.each([false, true])(
  'Behind a transaction pooler a sync leaves nothing in the sessions, done or failed (via the clone: %s)',
  async (viaClone) => {
    const id = viaClone ? 100 : 0;
    const before = await Promise.all(sessions().map(look));
    await edit('first', id + 1);
    const began = poolers.clone.transactions;
    expect(await sync(viaClone)).toMatchObject({ pushed: 1, pulled: 1, held: 0 });
    expect(poolers.clone.transactions).toBeGreaterThan(began);
    expect(await Promise.all(sessions().map(look))).toEqual(before);

    await edit('second', id + 3);
    await central.query('alter table test.item rename name to label');
    await expect(sync(viaClone)).rejects.toThrow('structure of central and clone differs');
    await central.query('alter table test.item rename label to name');
    expect(await Promise.all(sessions().map(look))).toEqual(before);
    expect(await sync(viaClone)).toMatchObject({ pushed: 1, pulled: 1 });
    await expectSynchronised({ ...link, clones: [] });
  },
);

test('What people write in a session that a sync has used is their own change, and is sent', async () => {
  await edit('before', 201);
  await sync();
  // each session of the pool has worked for a sync
  let id = 300;
  for (const session of sessions()) {
    id += 1;
    await session.query('insert into test.item values ($1, $2)', [id, 'written in a used session']);
  }
  for (const database of [central, clone]) {
    expect(
      await database.value(`
        select count(*)::integer from audit.logged_actions
        where new_values -> 'name' = 'written in a used session' and origin_server_id is null and received_from is null`),
    ).toBe(2);
  }
  expect(await sync()).toMatchObject({ pushed: 2, pulled: 2, held: 0 });
  expect(await link.contents(clone)).toEqual(await link.contents(central));
});

test('A setting that a session was left with does not decide what is logged, nor keep anybody from writing', async () => {
  const session = poolers.clone.sessions[0] as pg.Client;
  await session.query(`set lizsync_audit.last_event = ''; set lizsync_audit.partition_statement = '';
    set lizsync.origin = ''; set datestyle = 'SQL, DMY'`);
  await session.query(`insert into test.item values (400, 'left')`);
  await session.query('reset all');
  expect(await sync()).toMatchObject({ pushed: 1 });
  expect(await central.value('select name from test.item where id = 400')).toBe('left');
});
