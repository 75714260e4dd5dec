import type { ProgressCallback } from './progress.js';

/** A table whose rows are going to move. */
export interface MeteredTable {
  schema: string;
  name: string;
  /** Its rows, as far as they are known; 0: not at all. */
  rows: number;
  /** How much work it is, compared with the others: bytes of any kind. */
  bytes: number;
}

export interface TransferMeter {
  /**
   * Rows of a table begin to move.
   * @returns to be told each piece, in the text format of COPY, that has moved
   */
  begin(table: MeteredTable): (chunk: Buffer) => void;
  /** All rows of a table are through. */
  finish(table: MeteredTable): void;
  /** All tables are through. */
  end(): void;
}

const reportIntervalMilliseconds = 100;
const newline = 10;
/** Estimates are exceeded; until a table is through it counts as that far at most. */
const farthest = 0.99;

/**
 * Counts rows and bytes on their way, of several tables at once, and reports them ten times a second at most.
 * @param tables all that will move
 */
export function createTransferMeter(tables: MeteredTable[], onProgress: ProgressCallback): TransferMeter {
  const totalRows = tables.reduce((sum, { rows }) => sum + rows, 0);
  const weigh = ({ bytes }: MeteredTable): number => bytes + 1;
  const totalWeight = tables.reduce((sum, table) => sum + weigh(table), 0);
  const moving = new Map<MeteredTable, { number: number; rows: number; bytes: number }>();
  let begun = 0;
  let doneWeight = 0;
  let rows = 0;
  let bytes = 0;
  let lastReport = 0;

  const measure = (table: MeteredTable): number => {
    const moved = moving.get(table);
    if (moved === undefined) return 0;
    const share = table.rows > 0 ? moved.rows / table.rows : moved.bytes / weigh(table);
    return weigh(table) * Math.min(share, farthest);
  };
  const report = (table: MeteredTable, tableNumber: number): void => {
    lastReport = Date.now();
    const weight = [...moving.keys()].reduce((sum, other) => sum + measure(other), doneWeight);
    onProgress({
      kind: 'transfer',
      table: `${table.schema}.${table.name}`,
      tableNumber,
      tableCount: tables.length,
      rows,
      totalRows: Math.max(rows, totalRows),
      bytes,
      share: totalWeight === 0 ? 1 : weight / totalWeight,
    });
  };
  let last: [MeteredTable, number] | undefined;
  return {
    begin(table) {
      begun += 1;
      const moved = { number: begun, rows: 0, bytes: 0 };
      moving.set(table, moved);
      last = [table, begun];
      report(table, begun);
      return (chunk) => {
        bytes += chunk.length;
        moved.bytes += chunk.length;
        // a newline inside a value is written as \n
        let count = 0;
        for (let at = chunk.indexOf(newline); at !== -1; at = chunk.indexOf(newline, at + 1)) count += 1;
        rows += count;
        moved.rows += count;
        if (Date.now() - lastReport >= reportIntervalMilliseconds) report(table, moved.number);
      };
    },
    finish(table) {
      moving.delete(table);
      doneWeight += weigh(table);
    },
    end() {
      if (last !== undefined) report(...last);
    },
  };
}
