import { createHash } from 'node:crypto';

/** SQL that makes the tables of the model test: small, and with everything that makes synchronising them hard. */
export const tablesSql = `
create schema test;
create table test.parent (id integer primary key, uid uuid not null unique, a text, b text);
create table test.child_cascade (
  id integer primary key, uid uuid not null unique, parent integer references test.parent on delete cascade, a text, b text
);
create table test.child_null (
  id integer primary key, uid uuid not null unique, parent integer references test.parent on delete set null, a text, b text
);
create table test.child_restrict (
  id integer primary key, uid uuid not null unique, parent integer references test.parent on delete restrict, a text, b text
);
create table test.grandchild_cascade (
  id integer primary key, uid uuid not null unique, parent integer references test.child_cascade on delete cascade, a text
);
create table test.grandchild_restrict (
  id integer primary key, uid uuid not null unique, parent integer references test.child_cascade on delete restrict, a text
);
create table test.grandchild_null (
  id integer primary key, uid uuid not null unique, parent integer references test.child_restrict on delete set null, a text
);
create table test.tree (
  id integer primary key, uid uuid not null unique, parent integer references test.tree on delete cascade, a text
);
create table test.coded (id integer primary key, uid uuid not null unique, code text unique, a text);
create table test.span (
  id integer primary key, uid uuid not null unique, low integer, high integer, a text,
  width integer generated always as (high - low) stored,
  check (low <= high)
);
create table test.keyless (uid uuid not null unique, a text, b text);
create table test.place (country text, code text, uid uuid not null unique, a text, primary key (country, code));
create table test.kind (code text primary key, uid uuid not null unique, a text);
create table test.item (
  id integer primary key, uid uuid not null unique, a text,
  kind text references test.kind on update cascade on delete set null
);
create table test.label (id integer primary key, uid uuid not null unique, a text, kind text references test.kind);
create table test.stamped (id integer primary key, uid uuid not null unique, a text, b text, updated_at timestamptz);
create table test.stamped_history (uid uuid not null unique default gen_random_uuid(), of_id integer, a text);
create function test.set_updated_at() returns trigger language plpgsql as $$
begin
  new.updated_at := clock_timestamp();
  return new;
end $$;
create function test.keep_history() returns trigger language plpgsql as $$
begin
  insert into test.stamped_history (of_id, a) values (new.id, new.a);
  return null;
end $$;
create trigger updated_at before update on test.stamped for each row execute function test.set_updated_at();
create trigger history after update on test.stamped for each row
  when (old.a is distinct from new.a) execute function test.keep_history();
`;

interface TableSpec {
  /** Whether the primary key is an id that goes with the uid; else it is part of \`special\` or there is none. */
  hasId: boolean;
  /** Columns that get a value which nobody has written before, each time. */
  texts: string[];
  /** SQL of the other columns: references, unique and checked values, of few different ones. */
  special?: (pick: number, slot: number) => Record<string, string>;
}

const toParent = (pick: number): Record<string, string> => ({ parent: pick === 0 ? 'null' : String(pick) });

const toKind = (pick: number): Record<string, string> => ({
  kind: pick === 0 ? 'null' : `(select code from test.kind order by code limit 1 offset ${pick - 1})`,
});

const specs = {
  parent: { hasId: true, texts: ['a', 'b'] },
  child_cascade: { hasId: true, texts: ['a', 'b'], special: toParent },
  child_null: { hasId: true, texts: ['a', 'b'], special: toParent },
  child_restrict: { hasId: true, texts: ['a', 'b'], special: toParent },
  grandchild_cascade: { hasId: true, texts: ['a'], special: toParent },
  grandchild_restrict: { hasId: true, texts: ['a'], special: toParent },
  grandchild_null: { hasId: true, texts: ['a'], special: toParent },
  tree: { hasId: true, texts: ['a'], special: toParent },
  coded: { hasId: true, texts: ['a'], special: (pick) => ({ code: quote(`c${pick}`) }) },
  span: {
    hasId: true,
    texts: ['a'],
    special: (pick, slot) => {
      const low = String(10 * slot - 7 * pick);
      const high = String(10 * slot + 3 * pick);
      return { low, high };
    },
  },
  keyless: { hasId: false, texts: ['a', 'b'] },
  place: {
    hasId: false,
    texts: ['a'],
    special: (pick) => ({ country: quote(`x${pick >> 1}`), code: quote(`y${pick & 1}`) }),
  },
  kind: { hasId: false, texts: ['a'], special: (pick) => ({ code: quote(`k${pick}`) }) },
  item: { hasId: true, texts: ['a'], special: toKind },
  label: { hasId: true, texts: ['a'], special: toKind },
  stamped: { hasId: true, texts: ['a', 'b'] },
} satisfies Record<string, TableSpec>;

export type EditedTable = keyof typeof specs;
export const editedTables = Object.keys(specs) as EditedTable[];
/** Written by a trigger only. */
export const historyTable = 'stamped_history';
const allTables = [...editedTables, historyTable];
/** Tables that a history deals with: few at a time, so that edits meet. */
export const tableGroups: EditedTable[][] = [
  ['parent', 'child_cascade', 'child_null', 'child_restrict'],
  ['parent', 'child_restrict'],
  ['parent', 'child_cascade', 'grandchild_restrict'],
  ['parent', 'child_cascade', 'grandchild_cascade', 'grandchild_restrict'],
  ['parent', 'child_cascade', 'child_restrict', 'grandchild_restrict', 'grandchild_null'],
  ['kind', 'item'],
  ['kind', 'item', 'label'],
  ['tree', 'coded'],
  ['coded', 'place'],
  ['span', 'stamped'],
  ['keyless', 'stamped', 'place'],
  ['tree', 'parent', 'child_restrict'],
  editedTables,
];
export const slots = [1, 2, 3] as const;
export const actions = [
  'insert',
  'update one',
  'update texts',
  'update special',
  'update part of special',
  'update all rows',
  'update nothing',
  'reinsert',
  'swap',
  'delete',
  'delete with what restricts it',
  'delete all rows',
  'truncate',
] as const;

/** One thing that a user does to a table of one server; plain data, so that a failing history can be printed. */
export interface Edit {
  /** 0: the central, else the number of the clone. */
  server: number;
  table: EditedTable;
  action: (typeof actions)[number];
  /** Which row. */
  slot: (typeof slots)[number];
  /** Which of few values. */
  pick: number;
}

/** The uid of a row: the same on each server, so that several may insert it. */
export function uidOf(table: string, slot: number): string {
  const hex = createHash('md5').update(`${table} ${slot}`).digest('hex');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

export function specOf(table: EditedTable): TableSpec {
  return specs[table];
}

/**
 * The statements of an edit.
 * @param fresh begins each text value; no other edit of the history has it
 */
export function toStatements(edit: Edit, fresh: string): string[] {
  const { table, action, slot, pick } = edit;
  const spec = specOf(table);
  const uid = quote(uidOf(table, slot));
  const special = spec.special?.(pick, slot) ?? {};
  const texts = Object.fromEntries(spec.texts.map((column) => [column, quote(`${fresh}${column}`)]));
  const update = (values: Record<string, string>): string => {
    const assignments = Object.entries(values).map(([column, value]) => `${column} = ${value}`);
    return `update test.${table} set ${assignments.join(', ')} where uid = ${uid}`;
  };
  const insert = insertOf(table, slot, { ...texts, ...special });
  const oneText = spec.texts[pick % spec.texts.length] ?? 'a';
  switch (action) {
    case 'insert':
      return [insert];
    case 'update one':
      return [update({ [oneText]: quote(`${fresh}${oneText}`) })];
    case 'update texts':
      return [update(texts)];
    case 'update special':
      return [update(spec.special ? special : texts)];
    case 'update part of special': {
      const [first] = Object.entries(special).slice(pick % 2);
      return [update(first ? { [first[0]]: first[1] } : { [oneText]: quote(`${fresh}${oneText}`) })];
    }
    case 'update all rows':
      return [`update test.${table} set a = ${quote(fresh)} || left(uid::text, 4)`];
    case 'update nothing':
      return [`update test.${table} set a = a where uid = ${uid}`];
    case 'reinsert':
      return [`delete from test.${table} where uid = ${uid}`, insert];
    case 'swap': {
      if (table !== 'coded') return [update({ [oneText]: quote(`${fresh}${oneText}`) })];
      const rows = `(${uid}, ${quote(uidOf(table, (slot % 3) + 1))})`;
      return [
        `update test.coded set code = code || '~' where uid in ${rows}`,
        `update test.coded as t set code = coalesce((
           select rtrim(o.code, '~') from test.coded as o where o.uid in ${rows} and o.uid <> t.uid
         ), rtrim(t.code, '~')) where t.uid in ${rows}`,
      ];
    }
    case 'delete':
      return [`delete from test.${table} where uid = ${uid}`];
    case 'delete with what restricts it': {
      const restricting = {
        parent: [
          `delete from test.grandchild_restrict
           where parent in (select c.id from test.child_cascade as c where c.parent = ${slot})`,
          `delete from test.child_restrict where parent = ${slot}`,
        ],
        child_cascade: [`delete from test.grandchild_restrict where parent = ${slot}`],
      };
      return [
        ...(table in restricting ? restricting[table as keyof typeof restricting] : []),
        `delete from test.${table} where uid = ${uid}`,
      ];
    }
    case 'delete all rows':
      return [`delete from test.${table}`];
    case 'truncate':
      return [`truncate test.${table} cascade`];
  }
}

/** SQL that makes the tables what they are at the start of each history, without logging it. */
export function toInitialRows(): string {
  const inserts = editedTables.flatMap((table) =>
    [1, 2].map((slot) => {
      const spec = specOf(table);
      const texts = Object.fromEntries(spec.texts.map((column) => [column, quote(`start ${slot}${column}`)]));
      return insertOf(table, slot, { ...texts, ...spec.special?.(slot, slot) });
    }),
  );
  // faster than TRUNCATE for so few rows
  const deletes = allTables.map((table) => `delete from test.${table}`);
  return [...deletes, ...inserts].join(';\n');
}

/** Tables by name, rows by uid, values by column. */
export type State = Record<string, Record<string, Record<string, unknown>>>;

/** Query with one row, one column: all tables as a State. */
export const stateSql = `select jsonb_build_object(${allTables
  .map(
    (table) =>
      `'${table}', (select coalesce(jsonb_object_agg(t.uid, to_jsonb(t) - 'uid'), '{}') from test.${table} as t)`,
  )
  .join(', ')}) as state`;

/** Query for rows whose foreign key refers to nothing. */
export const orphansSql = [
  ['child_cascade', 'parent', 'parent', 'id'],
  ['child_null', 'parent', 'parent', 'id'],
  ['child_restrict', 'parent', 'parent', 'id'],
  ['grandchild_cascade', 'parent', 'child_cascade', 'id'],
  ['grandchild_restrict', 'parent', 'child_cascade', 'id'],
  ['grandchild_null', 'parent', 'child_restrict', 'id'],
  ['tree', 'parent', 'tree', 'id'],
  ['item', 'kind', 'kind', 'code'],
  ['label', 'kind', 'kind', 'code'],
]
  .map(
    ([child, column, parent, key]) =>
      `select '${child}' as child, c.${column}::text as key from test.${child} as c
       where c.${column} is not null and not exists (select from test.${parent} as p where p.${key} = c.${column})`,
  )
  .join(' union all ');

function insertOf(table: EditedTable, slot: number, values: Record<string, string>): string {
  const row = { uid: quote(uidOf(table, slot)), ...(specOf(table).hasId ? { id: String(slot) } : {}), ...values };
  return `insert into test.${table} (${Object.keys(row).join(', ')}) values (${Object.values(row).join(', ')})`;
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
