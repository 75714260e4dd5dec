import { describe, expect, it } from 'vitest';
import { deploy } from '../../src/core/deploy.js';
import type { ProgressEvent } from '../../src/core/progress.js';
import { createDatabase, type TestDatabase } from '../support/database.js';
import { linkDatabases, transports } from '../support/link.js';
import { packageTables } from '../support/packages.js';
import { getCloneServer } from '../support/server.js';
import { toSettings } from '../support/settings.js';
import { expectSynchronised } from '../support/synchronised.js';

const pairs = [
  { central: 'LATIN1', clone: 'UTF8' },
  { central: 'UTF8', clone: 'LATIN1' },
  { central: 'LATIN1', clone: 'LATIN1' },
  { central: 'LATIN1', clone: 'LATIN9' },
  { central: 'SQL_ASCII', clone: 'UTF8' },
  { central: 'UTF8', clone: 'SQL_ASCII' },
];
const tables = `
  create schema test;
  create table test."été" (id integer primary key, "prénom" text, note text);
  create table test.other (id integer primary key);
  insert into test."été" values (1, 'Élodie')`;

describe.each(pairs)('a central in $central and a clone in $clone', (encodings) => {
  it.each(transports)('are equal after changes of all kinds on both sides (%s)', async (transport) => {
    const link = await linkDatabases(tables, { encodings });
    const { central } = link;
    const [clone] = link.clones as [TestDatabase];
    expect(await central.value('select getdatabaseencoding()::text')).toBe(encodings.central);
    expect(await clone.value('select getdatabaseencoding()::text')).toBe(encodings.clone);
    await central.query(`insert into test."été" values (2, 'Zoë', 'ç=>"\\'), (3, null, 'ß'), (4, '', null)`);
    await clone.query(
      `insert into test."été" values (12, 'Jürgen', 'ñ'); update test."été" set note = 'à l''aube' where id = 1`,
    );
    await link.sync(clone, transport);
    await central.query(
      `update test."été" set "prénom" = 'Åse' where id in (2, 12); delete from test."été" where id = 3`,
    );
    await clone.query(`update test."été" set note = 'Ø' where id in (2, 12)`);
    await link.sync(clone, transport);
    await expectSynchronised(link);
    expect(await central.query('select id, "prénom", note from test."été" order by id')).toEqual([
      { id: 1, prénom: 'Élodie', note: "à l'aube" },
      { id: 2, prénom: 'Åse', note: 'Ø' },
      { id: 4, prénom: '', note: null },
      { id: 12, prénom: 'Åse', note: 'Ø' },
    ]);
  });
});

describe('a character that the other side does not have', () => {
  it.each(
    transports.flatMap((transport) => [
      { transport, central: 'LATIN1', clone: 'UTF8', writer: 'clone' as const, reader: 'central' },
      { transport, central: 'UTF8', clone: 'LATIN1', writer: 'central' as const, reader: 'clone1' },
    ]),
  )('ends the sync from the $writer with an error that names it, until it is replaced ($transport)', async (story) => {
    const { transport, writer, reader } = story;
    const link = await linkDatabases(tables, { encodings: { central: story.central, clone: story.clone } });
    const [clone] = link.clones as [TestDatabase];
    const database = writer === 'clone' ? clone : link.central;
    await database.query(
      `update test."été" set note = 'l’aube', "prénom" = 'Élise' where id = 1; insert into test.other values (1)`,
    );
    const uid = await database.value('select uid::text from test."été"');
    const failed = link.sync(clone, transport);
    await expect(failed).rejects.toMatchObject({
      message: expect.stringContaining(`row ${uid} of test."été" can't be carried to ${reader}: the encoding LATIN1`),
      hint: expect.stringContaining('sync --tables'),
    });
    await expect(failed).rejects.toThrow('(note)');
    await link.sync(clone, transport, ['test.other']);
    await database.query(`update test."été" set note = 'l''aube' where id = 1`);
    await link.sync(clone, transport);
    await expectSynchronised(link);
  });

  it('is warned of when the clone is deployed', async () => {
    const { central } = await linkDatabases(tables, { cloneCount: 0, encodings: { central: 'LATIN1' } });
    const { file } = await packageTables(central);
    for (const [encoding, count] of [
      ['UTF8', 1],
      ['LATIN1', 0],
    ] as const) {
      const clone = await createDatabase(getCloneServer(), { encoding });
      const events: ProgressEvent[] = [];
      await deploy(
        { archive: file, central: toSettings(central.url), clone: toSettings(clone.url), name: encoding },
        (event) => events.push(event),
      );
      const warnings = events.filter((event) => event.kind === 'warning' && event.text.includes('encoding UTF8'));
      expect(warnings).toHaveLength(count);
    }
  });
});
