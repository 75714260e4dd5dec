import type { Connection } from '../db/connection.js';
import { DatabaseError } from '../db/postgres-error.js';

/**
 * Runs statements in a savepoint of the open transaction; their error takes back what they did.
 * @returns the error; undefined: they are done
 * @throws DatabaseError when the connection fails
 */
export async function tryStatements(connection: Connection, sql: string): Promise<DatabaseError | undefined> {
  await connection.queryBatch('savepoint try_statements');
  try {
    await connection.queryBatch(sql);
    await connection.queryBatch('release savepoint try_statements');
    return undefined;
  } catch (error) {
    if (!(error instanceof DatabaseError) || error.isConnectionFailure) throw error;
    await connection.queryBatch('rollback to savepoint try_statements; release savepoint try_statements');
    return error;
  }
}
