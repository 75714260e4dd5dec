import { type SynchronizeResult, synchronize } from '../../src/core/sync.js';
import type { TestDatabase } from './database.js';
import { type LinkedDatabases, linkDatabases, type Transport } from './link.js';
import { toSettings } from './settings.js';
import { createTcpProxy, type TcpProxy } from './tcp-proxy.js';

/** One clone and its central, with a line to each that fails on demand. */
export interface FaultyLink extends LinkedDatabases {
  clone: TestDatabase;
  /** From the program, or with transport sql from the clone, to the central. */
  centralLine: TcpProxy;
  /** From the program to the clone. */
  cloneLine: TcpProxy;
  /** Synchronises over the lines. */
  synchronise(transport?: Transport): Promise<SynchronizeResult>;
  /** Changes something in each database; no two changes of a row are the same. */
  change(): Promise<void>;
  /** Cuts what is left of a failed sync and lets the lines work again. */
  repair(): void;
}

const items = `
  create schema test;
  create table test.item (
    uid uuid primary key default gen_random_uuid(), name text not null, number integer, other integer
  );
`;

/** Links a central and a clone with a table test.item (uid, name, number, other), and puts a line before each. */
export async function createFaultyLink(): Promise<FaultyLink> {
  const world = await linkDatabases(items);
  const { central, clones } = world;
  const clone = clones[0] as TestDatabase;
  const centralLine = await createTcpProxy(central.server);
  const cloneLine = await createTcpProxy(clone.server);
  await clone.query(`alter server lizsync_central options (set host '127.0.0.1', set port '${centralLine.port}')`);
  let round = 0;
  return {
    ...world,
    clone,
    centralLine,
    cloneLine,
    synchronise: (transport = 'cli') =>
      synchronize({
        central: toSettings(centralLine.urlOf(central)),
        clone: toSettings(cloneLine.urlOf(clone)),
        viaClone: transport === 'sql',
      }),
    change: async () => {
      round += 1;
      await Promise.all([changeItems(clone, 'clone', round), changeItems(central, 'central', round)]);
    },
    repair: () => {
      centralLine.reset();
      cloneLine.reset();
    },
  };
}

/** Adds rows and changes one of the other server's, which the other doesn't touch. */
async function changeItems(database: TestDatabase, name: string, round: number): Promise<void> {
  const other = name === 'clone' ? 'central' : 'clone';
  await database.query(`
    insert into test.item (name, number) select '${name} ${round}', n from generate_series(1, 3) as n;
    update test.item set name = '${name} changed in ${round}' where name = '${other} ${round - 1}' and number = 1;
    delete from test.item where name = '${other} ${round - 1}' and number = 2;`);
}
