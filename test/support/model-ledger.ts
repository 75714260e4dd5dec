import { historyTable, type State } from './model-tables.js';

/** What one statement did to a row, as its own transaction saw it. */
interface Effect {
  table: string;
  uid: string;
  kind: 'insert' | 'update' | 'delete';
  before: Record<string, unknown>;
  after: Record<string, unknown>;
}

/** The effects of an edit; `stamp` counts the edits of a history, corrected by the clock of the server. */
export interface Entry {
  server: number;
  stamp: number;
  effects: Effect[];
}

/** A row of lizsync.conflicts. */
export interface Conflict {
  table: string;
  uid: string;
  kind: string;
  losingValues: Record<string, string | null>;
}

/** Set by the servers' own clocks when a trigger fires, and logged as text of another format. */
const ignoredColumns = new Set(['updated_at', 'width']);

/** Compares two states of one server. */
export function findEffects(before: State, after: State): Effect[] {
  const effects: Effect[] = [];
  for (const table of Object.keys(after)) {
    const old = before[table] ?? {};
    const now = after[table] ?? {};
    for (const uid of new Set([...Object.keys(old), ...Object.keys(now)])) {
      const [oldRow, newRow] = [old[uid], now[uid]];
      if (!oldRow && newRow) effects.push({ table, uid, kind: 'insert', before: {}, after: newRow });
      else if (oldRow && !newRow) effects.push({ table, uid, kind: 'delete', before: oldRow, after: {} });
      else if (oldRow && newRow) {
        const columns = Object.keys(newRow).filter((column) => toText(oldRow[column]) !== toText(newRow[column]));
        const pick = (row: Record<string, unknown>) =>
          Object.fromEntries(columns.map((column) => [column, row[column]]));
        if (columns.length > 0) effects.push({ table, uid, kind: 'update', before: pick(oldRow), after: pick(newRow) });
      }
    }
  }
  return effects;
}

/**
 * Everything that users committed, as they saw it: which value was written, and which value the writer had before his
 * eyes. From that alone follows what may be there at the end.
 */
export class Ledger {
  readonly #entries: Entry[] = [];

  /** Notes what a transaction that has committed did. */
  add(entries: Entry[]): void {
    this.#entries.push(...entries);
  }

  count(kind: Effect['kind']): number {
    return this.#entries.flatMap((entry) => entry.effects).filter((effect) => effect.kind === kind).length;
  }

  /**
   * Compares the state in which all servers came to rest with what was done to them.
   * @param start the state in which all began
   * @param conflicts of all servers
   * @param clocksAgree whether stamps tell the order in which things happened
   * @returns what is wrong, a sentence each
   */
  check(start: State, final: State, conflicts: Conflict[], clocksAgree: boolean): string[] {
    const problems: string[] = [];
    const lost = new Set<string>();
    const cascaded = new Set<string>();
    const restored = new Set<string>();
    for (const { table, uid, kind, losingValues } of conflicts) {
      for (const [column, value] of Object.entries(losingValues)) lost.add(key(table, uid, column, value));
      if (kind === 'foreign_key_cascade') cascaded.add(key(table, uid));
      if (kind === 'foreign_key_restore') restored.add(key(table, uid));
    }

    const overwritten = new Set<string>();
    const deleted = new Set<string>();
    const inserted = new Set<string>();
    const latest = new Map<string, { stamp: number; value: string | null }>();
    for (const { stamp, effects } of this.#entries) {
      for (const { table, uid, kind, before, after } of effects) {
        if (kind === 'delete') deleted.add(key(table, uid));
        if (kind === 'insert') inserted.add(key(table, uid));
        for (const [column, value] of Object.entries(before)) overwritten.add(key(table, uid, column, toText(value)));
        for (const [column, value] of Object.entries(after)) {
          const cell = key(table, uid, column);
          if (stamp >= (latest.get(cell)?.stamp ?? Number.NEGATIVE_INFINITY)) {
            latest.set(cell, { stamp, value: toText(value) });
          }
        }
      }
    }

    // every value is there, or was seen by who replaced it, or lost and is recorded
    for (const { server, effects } of this.#entries) {
      for (const { table, uid, after } of effects) {
        for (const [column, value] of Object.entries(after)) {
          if (ignoredColumns.has(column)) continue;
          const row = final[table]?.[uid];
          const isThere = row !== undefined && toText(row[column]) === toText(value);
          const value_ = key(table, uid, column, toText(value));
          if (!isThere && !overwritten.has(value_) && !lost.has(value_)) {
            problems.push(`${table} ${uid} ${column} = ${value}, written on server ${server}, has vanished unrecorded`);
          }
        }
      }
    }

    // every delete has deleted, unless somebody inserted the row (again) or a child needed it
    for (const { server, effects } of this.#entries) {
      for (const { table, uid, kind } of effects) {
        const row = key(table, uid);
        if (kind === 'delete' && final[table]?.[uid] && !inserted.has(row) && !restored.has(row)) {
          problems.push(`${table} ${uid}, deleted on server ${server}, is there`);
        }
      }
    }

    // rows that nobody deleted: they are there, and each cell has the latest value
    const uids = new Map<string, [string, string]>();
    for (const [table, rows] of Object.entries(start)) {
      for (const uid of Object.keys(rows)) uids.set(key(table, uid), [table, uid]);
    }
    for (const { effects } of this.#entries) {
      for (const { table, uid } of effects) uids.set(key(table, uid), [table, uid]);
    }
    for (const [row, [table, uid]] of uids) {
      if (deleted.has(row) || cascaded.has(row) || restored.has(row)) continue;
      const finalRow = final[table]?.[uid];
      if (!finalRow) {
        problems.push(`${table} ${uid} is missing although nobody deleted it`);
        continue;
      }
      for (const column of ['a', 'b']) {
        const expected = latest.get(key(table, uid, column))?.value ?? toText(start[table]?.[uid]?.[column]);
        const value = toText(finalRow[column]);
        if (clocksAgree && value !== expected) {
          problems.push(`${table} ${uid} ${column} is ${value}, the latest value is ${expected}`);
        } else if (value !== null && overwritten.has(key(table, uid, column, value))) {
          problems.push(`${table} ${uid} ${column} is ${value} again, which somebody had seen and replaced`);
        }
      }
    }
    for (const [table, rows] of Object.entries(final)) {
      for (const uid of Object.keys(rows)) {
        if (!uids.has(key(table, uid))) problems.push(`${table} ${uid} is there, and nobody inserted it`);
      }
    }

    // the trigger's rows: one for each change, however often and wherever it was applied
    const expectedHistory = this.#entries
      .flatMap((entry) => entry.effects)
      .filter((effect) => effect.table === historyTable).length;
    const history = Object.keys(final[historyTable] ?? {}).length;
    if (history !== expectedHistory) {
      problems.push(`${historyTable} has ${history} rows, but its trigger made ${expectedHistory}`);
    }
    return problems;
  }
}

function key(...parts: (string | null)[]): string {
  return JSON.stringify(parts);
}

function toText(value: unknown): string | null {
  return value === null || value === undefined ? null : String(value);
}
