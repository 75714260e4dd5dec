import { Writable } from 'node:stream';
import { stripVTControlCharacters } from 'node:util';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { formatBytes, formatCount } from '../../src/cli/format.js';
import { chooseProgressDisplay, type ProgressDisplay } from '../../src/cli/progress-display.js';
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
  afterEach(() => {
    vi.useRealTimers();
  });

  /** A terminal, or something else, and what it has been told so far. */
  async function createDisplay(terminal: { isTTY?: boolean; columns?: number }): Promise<{
    display: ProgressDisplay;
    read(): string;
  }> {
    let output = '';
    const stream = new Writable({
      write(chunk, _encoding, callback) {
        output += chunk;
        callback();
      },
    });
    const methods = { cursorTo: () => true, clearLine: () => true, moveCursor: () => true };
    const screen = Object.assign(stream, methods, terminal) as unknown as NodeJS.WriteStream;
    const create = await chooseProgressDisplay(screen);
    return { display: create(), read: () => output };
  }

  const transfer = { kind: 'transfer', tableCount: 2, totalRows: 30 } as const;

  /** What is to be seen of the same work. */
  async function showWork(terminal: { isTTY?: boolean; columns?: number }): Promise<string> {
    const { display, read } = await createDisplay(terminal);
    display.show({ kind: 'step', text: 'reading' });
    display.show({ ...transfer, table: 's.a', tableNumber: 1, rows: 10, bytes: 100, share: 0.3 });
    display.show({ ...transfer, table: 's.a', tableNumber: 1, rows: 20, bytes: 200, share: 0.6 });
    display.show({ ...transfer, table: 's.b', tableNumber: 2, rows: 30, bytes: 300, share: 1 });
    display.show({ kind: 'step', text: 'finishing' });
    display.end(true);
    return read();
  }
  const plainLines = [
    'reading',
    '  table 1 of 2: s.a',
    '  table 2 of 2: s.b',
    expect.stringMatching(/^ {2}30 rows, 300 B \(.*\/s\)$/),
    'finishing',
  ];

  test('is plain lines in a file, a pipe or a mail, one for each table', async () => {
    expect((await showWork({})).trimEnd().split('\n')).toEqual(plainLines);
  });

  test('is plain lines in a terminal that says it has no columns', async () => {
    expect((await showWork({ isTTY: true, columns: 0 })).trimEnd().split('\n')).toEqual(plainLines);
  });

  test('is a bar that ends as one line for each step in a terminal', async () => {
    const output = await showWork({ isTTY: true, columns: 120 });
    expect(output).toContain('reading');
    expect(output).toMatch(/30 rows, 300 B/);
    expect(output).toContain('finishing');
    expect(output).not.toContain('table 1 of 2: s.a');
  });

  test('in a terminal says which table of how many it is at, rows, bytes, rate, and how long it will go on', async () => {
    vi.useFakeTimers();
    const { display, read } = await createDisplay({ isTTY: true, columns: 120 });
    display.show({ ...transfer, table: 's.a', tableNumber: 1, rows: 0, bytes: 0, share: 0 });
    vi.advanceTimersByTime(30_000);
    display.show({ ...transfer, table: 's.b', tableNumber: 2, rows: 10, bytes: 3_000_000, share: 0.25 });
    vi.advanceTimersByTime(200);
    expect(stripVTControlCharacters(read())).toContain(
      '[#####---------------] table 2 of 2 s.b, 10/30 rows, 3.0 MB (100 kB/s), 1 min 30 s left',
    );
    display.end(true);
  });
});
