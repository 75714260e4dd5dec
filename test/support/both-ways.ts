import { it } from 'vitest';
import type { SynchronizeResult } from '../../src/core/sync.js';
import type { TestDatabase } from './database.js';
import { type LinkedDatabases, type Transport, transports } from './link.js';
import { expectConvergence } from './synchronised.js';

/** A link as a test sees it that is to hold both ways: `sender` is the side whose change is the one carried. */
export interface Way extends LinkedDatabases {
  clone: TestDatabase;
  sender: TestDatabase;
  receiver: TestDatabase;
  sending: 'central' | 'clone';
  transport: Transport;
  synchronise(): Promise<SynchronizeResult>;
}

/** Both directions, by both transports. */
export const ways = (['clone', 'central'] as const).flatMap((sending) =>
  transports.map((transport) => ({ sending, transport })),
);

/**
 * Runs a check from the clone to the central and back, by both transports, with the first clone of a link. Before each,
 * the tables hold `rows` and nothing else; after it all servers must come to be equal, and stay so.
 * @param getLink the link of the file, made in beforeAll
 * @param rows SQL, run in the central
 */
export function itHoldsBothWays(
  title: string,
  getLink: () => LinkedDatabases,
  rows: string,
  check: (way: Way) => Promise<void>,
): void {
  it.each(ways)(`${title} (from the $sending, $transport)`, async ({ sending, transport }) => {
    const link = getLink();
    await link.reset(rows);
    const clone = link.clones[0] as TestDatabase;
    const [sender, receiver] = sending === 'clone' ? [clone, link.central] : [link.central, clone];
    await check({
      ...link,
      clone,
      sender,
      receiver,
      sending,
      transport,
      synchronise: () => link.sync(clone, transport),
    });
    await expectConvergence(link);
  });
}

/** Every conflict that either of the servers has on record, oldest first. */
export async function readConflicts(
  ...databases: TestDatabase[]
): Promise<{ schema: string; table: string; kind: string; winning: string | null; losing: string | null }[]> {
  const all = await Promise.all(
    databases.map((database) =>
      database.query<{ schema: string; table: string; kind: string; winning: string | null; losing: string | null }>(
        `select schema_name as schema, table_name as table, kind, winning_values::text as winning, losing_values::text as losing
         from lizsync.conflicts order by conflict_id`,
      ),
    ),
  );
  return all.flat();
}
