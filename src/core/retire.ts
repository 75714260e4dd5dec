import { type Connection, withConnection, withTransaction } from '../db/connection.js';
import type { ConnectionSettings } from '../db/connection-settings.js';
import { UsageError } from '../errors.js';
import { requireServer } from './require-server.js';

export interface RetireOptions {
  central: ConnectionSettings;
  /** Name or id of the clone. */
  clone: string;
  /** Without it, the clone is only looked for. */
  yes: boolean;
  signal?: AbortSignal | undefined;
}

export interface RetireResult {
  cloneId: string;
  clone: string;
  /** When the central last got changes of it, as ISO 8601; null: never. */
  lastSynchronisedAt: string | null;
  /** Changes of the clone that the central holds; nobody but a person can apply them now. */
  held: number;
}

/**
 * Ends the link of a clone at its central: it can't synchronise any more, events are no longer kept for it, and the
 * numbers that it has not drawn from its ranges of sequences can be given to others.
 * @throws UsageError when there is no such clone, or more than one, or when it would be retired without `yes`;
 *   LizsyncError with exit code 4 while it synchronises; DatabaseError
 */
export async function retire(options: RetireOptions): Promise<RetireResult> {
  const { clone, yes, signal } = options;
  return withConnection(
    options.central,
    (central) =>
      withTransaction(central, {}, async () => {
        await requireServer(central, 'central');
        const result = await retireClone(central, clone);
        if (!yes) throw describeConsequence(result);
        return result;
      }),
    { role: 'central', signal },
  );
}

async function retireClone(central: Connection, clone: string): Promise<RetireResult> {
  const [row] = await central.query<{
    result: { clone_id: string; clone: string; last_synchronised_at: string | null; held: number };
  }>('select lizsync.retire_clone($1) as result', [clone]);
  if (row === undefined) throw new Error('lizsync.retire_clone() returned nothing');
  const { clone_id: cloneId, clone: name, last_synchronised_at: lastSynchronisedAt, held } = row.result;
  return { cloneId, clone: name, lastSynchronisedAt, held };
}

function describeConsequence({ clone, lastSynchronisedAt }: RetireResult): UsageError {
  const last =
    lastSynchronisedAt === null
      ? 'has never synchronised'
      : `last synchronised on ${lastSynchronisedAt.slice(0, 16).replace('T', ' at ')}`;
  return new UsageError(`${clone} ${last}; what was changed in it since could not be sent any more`, {
    hint: 'Synchronise it before, if it still exists. To end its link: the same command with --yes',
  });
}
