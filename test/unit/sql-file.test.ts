import { expect, it } from 'vitest';
import { listSqlFiles, readSqlFile } from '../../src/db/sql-file.js';

it('SQL files are listed with their path, sorted, from all directories below', () => {
  const files = listSqlFiles('migrations');
  expect(files[0]).toMatch(/^migrations\/0001_\w+\.sql$/);
  expect(files).toEqual([...files].sort());
  expect(listSqlFiles('routines').some((file) => /^routines\/\w+\/\w+\.sql$/.test(file))).toBe(true);
  expect(listSqlFiles('nowhere')).toEqual([]);
});

it('SQL files are read by the path they are listed with', () => {
  for (const file of listSqlFiles('migrations')) expect(readSqlFile(file)).toContain(';');
  expect(() => readSqlFile('migrations/nowhere.sql')).toThrow(/nowhere/);
});
