import type { ProgressCallback } from './progress.js';

export interface TransferMeter {
  /** Rows of the next table begin to move. */
  begin(table: string): void;
  /** A piece of a table in the text format of COPY has moved. */
  readonly pass: (chunk: Buffer) => void;
  /** All tables are through. */
  end(): void;
}

const reportIntervalMilliseconds = 100;
const newline = 10;

/**
 * Counts rows and bytes on their way and reports them ten times a second at most.
 * @param totalRows as far as it is known
 */
export function createTransferMeter(
  tableCount: number,
  totalRows: number,
  onProgress: ProgressCallback,
): TransferMeter {
  let table = '';
  let tableNumber = 0;
  let rows = 0;
  let bytes = 0;
  let lastReport = 0;
  const report = (): void => {
    lastReport = Date.now();
    onProgress({ kind: 'transfer', table, tableNumber, tableCount, rows, totalRows: Math.max(rows, totalRows), bytes });
  };
  return {
    begin(name) {
      table = name;
      tableNumber += 1;
      report();
    },
    pass(chunk) {
      bytes += chunk.length;
      // a newline inside a value is written as \n
      for (let at = chunk.indexOf(newline); at !== -1; at = chunk.indexOf(newline, at + 1)) rows += 1;
      if (Date.now() - lastReport >= reportIntervalMilliseconds) report();
    },
    end() {
      if (tableNumber > 0) report();
    },
  };
}
