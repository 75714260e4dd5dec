import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseColumnNames, parseSchemaNames, parseTableNames, quoteName } from '../../src/cli/parse-names.js';
import { UsageError } from '../../src/errors.js';

describe('names on the command line', () => {
  test('several schemas stand in one text or in several', () => {
    expect(parseSchemaNames(['a,b', 'c'])).toEqual(['a', 'b', 'c']);
    expect(parseSchemaNames(['a , b'])).toEqual(['a', 'b']);
  });

  test('a name without double quotes is folded to lower case, as in SQL', () => {
    expect(parseSchemaNames(['Survey'])).toEqual(['survey']);
    expect(parseSchemaNames(['ÉTÉ'])).toEqual(['ÉtÉ']); // PostgreSQL folds A to Z only
    expect(parseTableNames(['S.T,"S"."T"'])).toEqual([
      { schema: 's', table: 't' },
      { schema: 'S', table: 'T' },
    ]);
  });

  test('dots, commas and doubled quotes belong to a name in double quotes', () => {
    expect(parseTableNames(['"a.b"."c,d"', 's."e""f"'])).toEqual([
      { schema: 'a.b', table: 'c,d' },
      { schema: 's', table: 'e"f' },
    ]);
    expect(parseColumnNames(['s.t."Ä x"'])).toEqual([{ schema: 's', table: 't', column: 'Ä x' }]);
  });

  test.each(['', ',', 'a,', 'a.', '.a', '"a', 'a"b"', '""', 'a b', 'a..b'])('"%s" is refused', (text) => {
    expect(() => parseSchemaNames([text])).toThrow(UsageError);
  });

  test('a name with too few or too many parts is refused', () => {
    expect(() => parseTableNames(['t'])).toThrow('expected SCHEMA.TABLE, got t');
    expect(() => parseSchemaNames(['s.t'])).toThrow('expected SCHEMA, got s.t');
    expect(() => parseColumnNames(['s.t'])).toThrow('expected SCHEMA.TABLE.COLUMN, got s.t');
  });

  test('every name that is written with quoteName is read as it was', () => {
    const name = fc.string({ minLength: 1, unit: 'binary' }).filter((text) => !text.includes('\0'));
    fc.assert(
      fc.property(fc.array(fc.tuple(name, name), { minLength: 1 }), (tables) => {
        const text = tables.map(([schema, table]) => `${quoteName(schema)}.${quoteName(table)}`).join(',');
        expect(parseTableNames([text])).toEqual(tables.map(([schema, table]) => ({ schema, table })));
      }),
    );
  });
});
