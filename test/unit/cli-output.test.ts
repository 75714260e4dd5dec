import { describe, expect, test } from 'vitest';
import { formatBytes, formatCount } from '../../src/cli/format.js';
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
