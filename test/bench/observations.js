// The reference workload: a table of observations, 150 to 200 bytes a row, and the same table without anything of lizsync.

import { copyRows } from './harness.js';

/** Columns of an observation but its id, as they are changed and carried. */
const valueColumns = 'name, value, note, photo, updated';

/**
 * @param {string} table
 * @param {number} rows
 * @returns {string} SQL that creates and fills it
 */
export function createObservations(table, rows) {
  return `
    create schema if not exists bench;
    create schema if not exists limits;
    create table ${table} (
      id serial primary key,
      uid uuid not null default gen_random_uuid() unique,
      name text,
      value double precision,
      note text,
      photo text,
      updated timestamptz default now()
    );
    ${insertObservations(table, rows)};
    analyze ${table};`;
}

/** @param {string} table @param {number} rows */
export function insertObservations(table, rows) {
  return `insert into ${table} (${valueColumns})
    select 'observation ' || i, i * 0.25, md5(i::text) || ' ' || md5((-i)::text), 'photos/' || md5('p' || i) || '.jpg', now()
    from generate_series(1, ${rows}) as i`;
}

/** One column and the time: what an editor of a form changes. @param {string} table @param {string} [condition] */
export function updateObservations(table, condition = 'true') {
  return `update ${table} set value = value + 1, updated = clock_timestamp() where ${condition}`;
}

/**
 * L1: the changed rows by COPY into an unlogged table, then one statement, in a table without triggers.
 * @param {import('./harness.js').Database} sender has limits.obs
 * @param {import('./harness.js').Database} receiver has it too, and limits.staging
 * @param {'update' | 'insert'} action
 * @param {string} [condition] which rows of the sender
 */
export async function applyDirectly(sender, receiver, action, condition = 'true') {
  const columns = `uid, ${valueColumns}`;
  await copyRows(
    sender.client,
    `select ${columns} from limits.obs where ${condition}`,
    receiver.client,
    `limits.staging (${columns})`,
  );
  await receiver.client.query(
    action === 'update'
      ? `update limits.obs as t set name = s.name, value = s.value, note = s.note, photo = s.photo, updated = s.updated
         from limits.staging as s where s.uid = t.uid`
      : `insert into limits.obs (${columns}) select ${columns} from limits.staging`,
  );
}

/** What L1 needs in both databases: the same rows, without lizsync. @param {{ central: any, clone: any }} link */
export async function createLimitTables({ central, clone }) {
  for (const { client } of [central, clone]) {
    await client.query(createObservations('limits.obs', 0));
    await client.query('create unlogged table limits.staging (like limits.obs)');
    await client.query('alter table limits.staging alter id drop not null');
  }
  const columns = `uid, ${valueColumns}`;
  await central.client.query(`insert into limits.obs (${columns}) select ${columns} from bench.obs`);
  await copyRows(central.client, `select ${columns} from bench.obs`, clone.client, `limits.obs (${columns})`);
}

/** Before each measurement: the tables as after a night of autovacuum. @param {{ central: any, clone: any }} link */
export async function tidy({ central, clone }) {
  for (const { client } of [central, clone]) {
    await client.query('truncate limits.staging');
    await client.query('vacuum analyze bench.obs');
    await client.query('vacuum analyze limits.obs');
    await client.query('checkpoint');
  }
}
