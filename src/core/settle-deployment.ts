import { setTimeout as wait } from 'node:timers/promises';
import { type Connection, withConnection, withTransaction } from '../db/connection.js';
import { readSqlFile } from '../db/sql-file.js';

/** A deployment that the central has been told about. */
export interface Registration {
  cloneId: string;
  syncId: string;
  /** The transaction of the clone, which commits it or not. */
  transactionId: string;
}

/** Whoever interrupts the program doesn't wait longer. */
const patienceMilliseconds = 1500;

/**
 * Finds out whether a clone has committed a deployment whose end went wrong, over a new connection when the old one is
 * broken. When it has not, the central forgets the deployment. Never throws: what stays unknown the next sync settles.
 * @param isCommitting whether the clone was asked to commit; where not, it has not
 * @returns true: it has committed
 */
export async function settleDeployment(
  central: Connection,
  clone: Connection,
  registration: Registration,
  isCommitting: boolean,
): Promise<boolean> {
  try {
    const status = isCommitting && clone.isBroken ? await readStatus(clone, registration.transactionId) : 'aborted';
    if (status !== 'aborted') return status === 'committed';
    await withUsable(central, (usable) =>
      withTransaction(usable, {}, () =>
        usable.query(readSqlFile('queries/deploy-withdraw.sql'), [registration.cloneId, registration.syncId]),
      ),
    );
  } catch {
    // what went wrong before is what the user hears of
  }
  return false;
}

async function readStatus(clone: Connection, transactionId: string): Promise<string | null> {
  const deadline = Date.now() + patienceMilliseconds;
  return withUsable(clone, async (usable) => {
    for (;;) {
      const [row] = await withTransaction(usable, { readOnly: true }, () =>
        usable.query<{ status: string | null }>('select pg_xact_status($1::xid8) as status', [transactionId]),
      );
      const status = row?.status ?? null;
      // the server may not have noticed yet that the session is gone
      if (status !== 'in progress' || Date.now() > deadline) return status;
      await wait(50);
    }
  });
}

async function withUsable<T>(connection: Connection, work: (usable: Connection) => Promise<T>): Promise<T> {
  if (!connection.isBroken) return work(connection);
  return withConnection({ ...connection.settings, connectTimeoutSeconds: 2 }, work);
}
