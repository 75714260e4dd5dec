import { UsageError } from '../errors.js';

export interface TableName {
  schema: string;
  table: string;
}

export interface ColumnName extends TableName {
  column: string;
}

/**
 * Reads names of schemas as given on the command line, in the order given: `a,"B"`; also several such texts.
 * As in SQL, a name without double quotes is folded to lower case. UsageError for anything else.
 */
export function parseSchemaNames(texts: string[]): string[] {
  return parseNames(texts, 1, 'SCHEMA').map(([schema = '']) => schema);
}

/** Reads `schema.table` names, as {@link parseSchemaNames}. */
export function parseTableNames(texts: string[]): TableName[] {
  return parseNames(texts, 2, 'SCHEMA.TABLE').map(([schema = '', table = '']) => ({ schema, table }));
}

/** Reads `schema.table.column` names, as {@link parseSchemaNames}. */
export function parseColumnNames(texts: string[]): ColumnName[] {
  return parseNames(texts, 3, 'SCHEMA.TABLE.COLUMN').map(([schema = '', table = '', column = '']) => ({
    schema,
    table,
    column,
  }));
}

function parseNames(texts: string[], parts: number, form: string): string[][] {
  return texts
    .flatMap((text) => splitNames(text, form))
    .map((name) => {
      if (name.length === parts) return name;
      throw new UsageError(`expected ${form}, got ${name.map(quoteName).join('.')}`, { hint: describeForm(form) });
    });
}

// one identifier and what ends it: a dot goes on with the same name, a comma begins the next, the end ends all
const identifierPattern = /\s*(?:"((?:[^"]|"")+)"|([^\s".,]+))\s*([.,]|$)/y;

function splitNames(text: string, form: string): string[][] {
  const names: string[][] = [];
  let name: string[] = [];
  identifierPattern.lastIndex = 0;
  while (true) {
    const match = identifierPattern.exec(text);
    if (match === null) throw new UsageError(`cannot read the names in: ${text}`, { hint: describeForm(form) });
    const [, quoted, bare, separator] = match;
    name.push(quoted === undefined ? foldCase(bare ?? '') : quoted.replaceAll('""', '"'));
    if (separator === '.') continue;
    names.push(name);
    name = [];
    if (separator === '') return names;
  }
}

/** Writes a name as SQL would need it: in double quotes unless it is a plain lower-case word. */
export function quoteName(name: string): string {
  return /^[a-z_][a-z0-9_]*$/.test(name) ? name : `"${name.replaceAll('"', '""')}"`;
}

function describeForm(form: string): string {
  return `write ${form}, several separated by commas; a name with capitals, dots or commas goes in double quotes (and the whole in single quotes for the shell)`;
}

/** As PostgreSQL folds names in UTF-8: the letters A to Z only. */
function foldCase(name: string): string {
  return name.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}
