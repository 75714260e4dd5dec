import path from 'node:path';
import type { Connection } from '../db/connection.js';
import { withTransaction } from '../db/connection.js';
import { readSqlFile } from '../db/sql-file.js';
import { LizsyncError } from '../errors.js';
import type { ProgressCallback } from './progress.js';
import { type LogPosition, saveUnsentChanges } from './save-unsent-changes.js';

/** What a clone is, as far as its unsent changes go. */
interface CloneIdentity {
  server_id: string;
  server_name: string;
  is_same_incarnation: boolean;
  link_central_id: string | null;
}

export interface UnsentChanges {
  count: number;
  /** Up to where the central has the clone's log; null: it has nothing of it. */
  position: LogPosition | null;
  /** Why a deploy is refused, in words; null: nothing would be lost. */
  problem: { text: string; hint: string } | null;
}

/** Counts what a clone has and its central has not. */
export async function findUnsentChanges(
  central: Connection,
  clone: Connection,
  identity: CloneIdentity,
  centralName: string,
): Promise<UnsentChanges> {
  // positions mean nothing in a copy or after a restore
  const position = identity.is_same_incarnation ? await readPosition(central, clone, identity.server_id) : null;
  const [row] = await clone.query<{ count: string }>(
    'select count(*) as count from lizsync.unsent_changes($1, $2) as unsent_changes',
    [position?.position ?? null, position?.ahead ?? '[]'],
  );
  const count = Number(row?.count ?? 0);
  // what a lost central or another copy has got may be gone from the log, and be in the tables of the clone alone
  const sharesHistory = identity.link_central_id === null || position !== null;
  if (count === 0 && sharesHistory) return { count, position, problem: null };
  const changes = `${count} ${count === 1 ? 'change' : 'changes'} of the clone "${identity.server_name}" ${count === 1 ? 'was' : 'were'} not sent to the central`;
  const problem = sharesHistory
    ? {
        text: changes,
        hint:
          `Send them: lizsync sync --clone. Or discard them: lizsync deploy --force, which writes them to a file before ` +
          `(central "${centralName}").`,
      }
    : {
        text: `the clone "${identity.server_name}" and the central do not share their past: one of them was copied, or restored from a backup`,
        hint:
          'The clone may have what the central has not; lizsync compare shows that. To discard it: lizsync deploy --force, ' +
          'which writes what the log of the clone still has to a file before.',
      };
  return { count, position, problem };
}

/**
 * Refuses to discard changes, unless that is wanted: then they are written to a file.
 * @returns how many were discarded, and the file; null: none
 */
export async function discardUnsentChanges(
  clone: Connection,
  { count, position, problem }: UnsentChanges,
  options: { serverName: string; force: boolean; file: string | undefined },
  onProgress: ProgressCallback,
): Promise<{ count: number; file: string } | null> {
  if (problem !== null && !options.force) throw new LizsyncError(problem.text, { hint: problem.hint });
  if (count === 0) return null;
  const file = path.resolve(options.file ?? nameUnsentChangesFile(options.serverName));
  onProgress({ kind: 'warning', text: `${problem?.text}; they are discarded, and written to ${file}` });
  return { count: await saveUnsentChanges(clone, position, file), file };
}

/** Up to where the central has the log of a clone; null: it does not know the clone as it is now. */
async function readPosition(central: Connection, clone: Connection, cloneId: string): Promise<LogPosition | null> {
  const [link] = await withTransaction(central, { readOnly: true }, () =>
    central.query<{
      server_id: string;
      position: string;
      ahead: string;
      last_sync_id: string | null;
      last_sync_transaction_id: string | null;
    }>(readSqlFile('queries/deploy-read-link.sql'), [cloneId]),
  );
  if (link === undefined) return null;
  const [row] = await clone.query<{ shared: boolean }>('select lizsync.shares_history($1, $2, $3) as shared', [
    link.server_id,
    link.last_sync_id,
    link.last_sync_transaction_id,
  ]);
  return row?.shared ? link : null;
}

function nameUnsentChangesFile(serverName: string): string {
  const time = new Date().toISOString().replace(/[-:]/g, '').slice(0, 15);
  return `lizsync-unsent-${serverName.replace(/[^\p{L}\p{N}_.-]/gu, '_')}-${time}Z.jsonl`;
}
