import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { synchronize } from '../../src/core/sync.js';
import { createDatabase, openDatabase, type TestDatabase, uniqueName, withMaintenance } from '../support/database.js';
import { describeDatabase } from '../support/describe-database.js';
import { createCentral, createEmptyClone, createFolder, deployTo, packageTables } from '../support/packages.js';
import { refusal } from '../support/refusal.js';
import { createPrivateServer, type TestServer } from '../support/server.js';
import { toSettings } from '../support/settings.js';
import { createSmallDisk, type SmallDisk, whyNoSmallDisk } from '../support/small-disk.js';
import { waitUntil } from '../support/synchronised.js';

const schema = `
  create schema test;
  create table test.tree (id integer primary key, kind text);
  insert into test.tree select i, 'kind ' || i from generate_series(1, 1000) as i`;

/** What a clone is like, rows and all, and what the central knows of it. */
async function describeBoth(clone: TestDatabase, central: TestDatabase): Promise<unknown> {
  return [
    await describeDatabase(clone),
    await central.query('select l::text from lizsync.links as l order by 1'),
    await central.query('select d::text from lizsync.deployments as d order by 1'),
  ];
}

async function expectUsable(clone: TestDatabase, central: TestDatabase): Promise<void> {
  await clone.query(`update test.tree set kind = 'edited' where id = 1`);
  const sync = await synchronize({ central: toSettings(central.url), clone: toSettings(clone.url) });
  expect(sync).toMatchObject({ pushed: 1, conflicts: 0, held: 0 });
}

const noSmallDisk = whyNoSmallDisk();

describe.skipIf(noSmallDisk !== undefined)(
  noSmallDisk === undefined ? 'a full disk' : `a full disk [skipped: ${noSmallDisk}]`,
  () => {
    let server: TestServer & { remove(): Promise<void> };
    let disk: SmallDisk;

    beforeAll(async () => {
      server = await createPrivateServer();
      disk = createSmallDisk(48, server.dataDirectory ?? '/');
      await withMaintenance(server, (client) => client.query(`create tablespace small location '${disk.directory}'`));
    });
    afterAll(async () => {
      await server?.remove();
      disk?.remove();
    });

    test.each([
      ['in place', ''],
      ['made anew', 'alter table test.tree add column height integer'],
    ])('ends a deploy over a clone, and the clone is as it was: tables %s', async (_how, change) => {
      const central = await createCentral(schema);
      const name = uniqueName('clone');
      await withMaintenance(server, (client) =>
        client.query(`create database "${name}" tablespace small template template0`),
      );
      const clone = openDatabase(server, name);
      await deployTo(clone, central, (await packageTables(central)).file);
      await central.query(
        `insert into test.tree select i, repeat(md5(i::text), 30) from generate_series(1001, 60000) as i`,
      );
      if (change !== '') await central.query(change);
      const { file } = await packageTables(central);
      const before = await describeBoth(clone, central);
      const error = await refusal(deployTo(clone, central, file));
      expect(error.message).toMatch(/No space left on device/);
      expect(await describeBoth(clone, central)).toEqual(before);

      await central.query('delete from test.tree where id > 1000');
      if (change === '') await expectUsable(clone, central);
      await deployTo(clone, central, (await packageTables(central)).file);
      expect(await clone.value('select count(*)::integer from test.tree')).toBe(1000);
      await clone.drop();
    });
  },
);

describe('a server of the clone that crashes', () => {
  let server: TestServer & { remove(): Promise<void> };

  beforeAll(async () => {
    server = await createPrivateServer();
  });
  afterAll(() => server?.remove());

  test('during a deploy comes up with the clone as it was', async () => {
    const central = await createCentral(schema);
    const clone = await createDatabase(server, { name: 'clone' });
    await deployTo(clone, central, (await packageTables(central)).file);
    const after = path.join(await createFolder(), 'after.sql');
    await writeFile(after, 'delete from test.tree; select pg_catalog.pg_sleep(60)');
    const { file } = await packageTables(central, { sqlAfter: after });
    const before = await describeBoth(clone, central);
    const running = refusal(deployTo(clone, central, file));
    await waitUntil(clone, `select exists (select from pg_stat_activity where wait_event = 'PgSleep')`);
    await clone.close();
    await server.stop('immediate');
    await running;
    await server.start();
    expect(await describeBoth(clone, central)).toEqual(before);
    await expectUsable(clone, central);
    await deployTo(clone, central, (await packageTables(central)).file);
  });
});

describe('a session that is terminated', () => {
  test.each(['clone', 'central'] as const)(
    'in the %s at any step of a deploy leaves both ends as they were',
    async (side) => {
      const central = await createCentral(schema);
      const clone = await createEmptyClone();
      await deployTo(clone, central, (await packageTables(central)).file);
      await expectUsable(clone, central);
      const victim = side === 'clone' ? clone : central;
      let failures = 0;
      for (let step = 1; ; step += 1) {
        const { file } = await packageTables(central);
        const before = await describeBoth(clone, central);
        let seen = 0;
        let killing: Promise<unknown> = Promise.resolve();
        const outcome = await deployTo(clone, central, file, {}, () => {
          seen += 1;
          if (seen !== step) return;
          killing = victim.query(
            `select pg_terminate_backend(pid) from pg_stat_activity
           where datname = current_database() and application_name = 'lizsync'`,
          );
        }).then(
          () => 'done' as const,
          (error: Error) => error,
        );
        await killing;
        if (outcome !== 'done') {
          failures += 1;
          expect(outcome.message).toMatch(/terminat|connection/);
          expect(await describeBoth(clone, central)).toEqual(before);
        }
        if (seen < step) break;
      }
      expect(failures).toBeGreaterThan(1);
      await expectUsable(clone, central).catch(() => clone.query(`update test.tree set kind = 'other' where id = 1`));
      await deployTo(clone, central, (await packageTables(central)).file, {
        force: true,
        unsentChangesFile: path.join(await createFolder(), 'unsent.jsonl'),
      });
    },
  );
});
