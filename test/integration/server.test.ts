import pg from 'pg';
import { beforeAll, describe, expect, test } from 'vitest';
import { createDatabase, createRole, prepareTemplate, type TestDatabase } from '../support/database.js';
import { createPrivateServer, getCloneServer, getTestServer } from '../support/server.js';

describe('the test servers', () => {
  test.each([
    ['central', getTestServer()],
    ['clone', getCloneServer()],
  ])('the %s server is a PostgreSQL that lizsync supports and holds UTF8 databases', async (_name, server) => {
    expect(server.version).toBeGreaterThanOrEqual(140000);
    const database = await createDatabase(server);
    expect(await database.value('show server_encoding')).toBe('UTF8');
    expect(await database.value('select current_setting($1)::integer', ['server_version_num'])).toBe(server.version);
  });

  test('a role without its password is refused', async () => {
    const database = await createDatabase(getTestServer());
    const role = await createRole(getTestServer());
    const client = await database.connect({ connectionString: role.urlFor(database) });
    const result = await client.query('select current_user::text as name');
    expect(result.rows).toEqual([{ name: role.name }]);

    const wrong = new URL(role.urlFor(database));
    wrong.password = 'wrong';
    await expect(new pg.Client(wrong.href).connect()).rejects.toMatchObject({ code: '28P01' });
  });

  test('a server of its own can crash and come back with what was committed', async () => {
    const server = await createPrivateServer();
    try {
      const database = await createDatabase(server);
      await database.query('create table kept as select 1 as a');
      await server.restart('immediate');
      expect(await database.value('select a from kept')).toBe(1);
    } finally {
      await server.remove();
    }
  });
});

describe('the test databases', () => {
  let ofFile: TestDatabase;
  let template: string;
  let dropped: TestDatabase;

  beforeAll(async () => {
    ofFile = await createDatabase(getTestServer(), { name: 'file' });
    await ofFile.query('create table public.t (a integer)');
    template = await prepareTemplate(getTestServer(), 'harness', async (database) => {
      await database.query('create table public.prepared (a integer)');
    });
  });

  test('a copy of a template has its tables', async () => {
    dropped = await createDatabase(getTestServer(), { template });
    expect(await dropped.value('select count(*)::integer from public.prepared')).toBe(0);
  });

  test('the database of a passed test is gone, that of the file is still there', async () => {
    await expect(dropped.value('select 1')).rejects.toMatchObject({ code: '3D000' });
    expect(await ofFile.value('select count(*)::integer from public.t')).toBe(0);
  });

  test('copies of one template can be made at the same time', async () => {
    const databases = await Promise.all([1, 2, 3].map(() => createDatabase(getTestServer(), { template })));
    expect(new Set(databases.map((database) => database.name)).size).toBe(3);
  });
});
