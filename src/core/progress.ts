/** What the core tells about its work while it runs. The core never draws; the command line decides what to show. */
export type ProgressEvent =
  /** A new step began; `text` is a short phrase such as "applying 120 changes to the central". */
  | { kind: 'step'; text: string }
  /** Something the user should know although the work goes on. */
  | { kind: 'warning'; text: string; hint?: string }
  /**
   * Rows of a table are moving, perhaps of others too. `rows` and `bytes` count what has moved so far in all tables, which
   * is about the `share` (0 to 1) of the work. `tableNumber` counts the tables in the order in which they began.
   */
  | {
      kind: 'transfer';
      table: string;
      tableNumber: number;
      tableCount: number;
      rows: number;
      totalRows: number;
      bytes: number;
      share: number;
    };

export type ProgressCallback = (event: ProgressEvent) => void;
