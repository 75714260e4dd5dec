import { describe, expect, test } from 'vitest';
import { linkDatabases } from '../support/link.js';

/** 200 MB that no compression makes smaller: 3,125,000 times 64 bytes. */
const photo = `(select string_agg(sha512(i::text::bytea), ''::bytea) from generate_series(%s, %s + 3124999) as i)`;

function makePhoto(first: number): string {
  return photo.replaceAll('%s', String(first));
}

const facts = `select id, octet_length(photo) as bytes, md5(photo) as md5 from test.photo order by id`;

describe('a value of 200 MB', () => {
  test('goes through package, deploy and both transports of sync, one each way', async () => {
    const link = await linkDatabases(`
      create schema test; create table test.photo (id integer primary key, photo bytea, note text);
      alter table test.photo alter column photo set storage external;
      insert into test.photo select 1, ${makePhoto(1)}`);
    const { central, sync } = link;
    const [clone] = link.clones;
    if (clone === undefined) throw new Error('no clone');
    expect(await clone.query(facts)).toEqual(await central.query(facts));
    expect(await clone.value('select octet_length(photo) from test.photo')).toBe(200_000_000);

    await clone.query(`update test.photo set photo = ${makePhoto(2)}`);
    expect(await sync(clone, 'cli')).toMatchObject({ pushed: 1, pulled: 0, conflicts: 0, held: 0 });
    expect(await clone.query(facts)).toEqual(await central.query(facts));

    await central.query(`update test.photo set photo = ${makePhoto(3)}`);
    expect(await sync(clone, 'sql')).toMatchObject({ pushed: 0, pulled: 1, conflicts: 0, held: 0 });
    expect(await clone.query(facts)).toEqual(await central.query(facts));
  }, 600_000);
});
