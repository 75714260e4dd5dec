import { Writable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { formatBytes, formatCount } from '../../src/cli/format.js';
import { createProgressDisplay } from '../../src/cli/progress-display.js';
import { toSnakeCaseKeys } from '../../src/cli/snake-case.js';

describe('what the command line prints', () => {
  test('keys of a result become snake_case at every depth, values stay', () => {
    expect(toSnakeCaseKeys({ clockOffsetMs: 5, sync_id: 'aB', tables: [{ rowsCentral: 1, uid: null }] })).toEqual({
      clock_offset_ms: 5,
      sync_id: 'aB',
      tables: [{ rows_central: 1, uid: null }],
    });
  });

  test('a bigint becomes a number', () => {
    expect(toSnakeCaseKeys({ rowCount: 5n })).toEqual({ row_count: 5 });
  });

  test('sizes have the unit that fits', () => {
    expect([0, 999, 1000, 23_456_789, 5e12].map(formatBytes)).toEqual(['0 B', '999 B', '1.0 kB', '23 MB', '5.0 TB']);
  });

  test('counts agree with their noun', () => {
    expect([formatCount(1, 'row'), formatCount(0, 'row'), formatCount(138_398, 'row')]).toEqual([
      '1 row',
      '0 rows',
      '138,398 rows',
    ]);
  });
});

describe('progress', () => {
  /** What a terminal, or something else, gets to see of the same work. */
  function showWork(terminal: { isTTY?: boolean; columns?: number }): string {
    let output = '';
    const stream = new Writable({
      write(chunk, _encoding, callback) {
        output += chunk;
        callback();
      },
    });
    const methods = { cursorTo: () => true, clearLine: () => true, moveCursor: () => true };
    const display = createProgressDisplay(Object.assign(stream, methods, terminal) as unknown as NodeJS.WriteStream);
    const transfer = { kind: 'transfer', tableCount: 2, totalRows: 30 } as const;
    display.show({ kind: 'step', text: 'reading' });
    display.show({ ...transfer, table: 's.a', tableNumber: 1, rows: 10, bytes: 100, share: 0.3 });
    display.show({ ...transfer, table: 's.a', tableNumber: 1, rows: 20, bytes: 200, share: 0.6 });
    display.show({ ...transfer, table: 's.b', tableNumber: 2, rows: 30, bytes: 300, share: 1 });
    display.show({ kind: 'step', text: 'finishing' });
    display.end(true);
    return output;
  }
  const plainLines = [
    'reading',
    '  table 1 of 2: s.a',
    '  table 2 of 2: s.b',
    expect.stringMatching(/^ {2}30 rows, 300 B \(.*\/s\)$/),
    'finishing',
  ];

  test('is plain lines in a file, a pipe or a mail, one for each table', () => {
    expect(showWork({}).trimEnd().split('\n')).toEqual(plainLines);
  });

  test('is plain lines in a terminal that says it has no columns', () => {
    expect(showWork({ isTTY: true, columns: 0 }).trimEnd().split('\n')).toEqual(plainLines);
  });

  test('is a bar that ends as one line for each step in a terminal', () => {
    const output = showWork({ isTTY: true, columns: 120 });
    expect(output).toContain('reading');
    expect(output).toMatch(/30 rows, 300 B/);
    expect(output).toContain('finishing');
    expect(output).not.toContain('table 1 of 2: s.a');
  });
});
