import type { TestDatabase } from './database.js';

/** Start, increment and bounds of a sequence, as packages and pg_dump write them, after its name. */
const boundsPattern =
  /(sequence (?:name )?((?:\w+|"(?:[^"]|"")+")\.(?:\w+|"(?:[^"]|"")+"))\s+(?:as \w+\s+)?start with )-?\d+(\s+increment by -?\d+\s+)(?:no )?minvalue(?: -?\d+)?(\s+)(?:no )?maxvalue(?: -?\d+)?/gi;

/** A sequence as test/support/describe-tables.sql describes it. */
const describedPattern = /(?<=^|\0)sequence (.+?) of [^\0]*/g;

/**
 * Rewrites definitions of a central to what they must be in a clone: each sequence of which the clone has a range begins
 * and ends with that. Everything else stays, so that what differs is found.
 */
export async function withRangesOf(clone: TestDatabase, central: TestDatabase, definitions: string): Promise<string> {
  const rows = await central.query<{ name: string; first: string; lower: string; upper: string }>(
    `select format('%I.%I', n.nspname, c.relname) as name, r.lower_value as lower, r.upper_value as upper,
       case when q.seqincrement > 0 then r.lower_value else r.upper_value end as first
     from lizsync.sequence_ranges as r
     join lizsync.sequences as s using (sequence_id)
     join pg_class as c on c.oid = s.sequence
     join pg_namespace as n on n.oid = c.relnamespace
     join pg_sequence as q on q.seqrelid = s.sequence
     where r.clone_id = $1`,
    [await clone.value('select server_id from lizsync.server_metadata')],
  );
  const ranges = new Map(rows.map((row) => [row.name, row]));
  const described = definitions.replace(describedPattern, (text, name: string) => {
    const range = ranges.get(name);
    if (range === undefined) return text;
    return text
      .replace(/(?<="seqmin": )-?\d+/, range.lower)
      .replace(/(?<="seqmax": )-?\d+/, range.upper)
      .replace(/(?<="seqstart": )-?\d+/, range.first);
  });
  return described.replace(boundsPattern, (text, start: string, name: string, increment: string, space: string) => {
    const range = ranges.get(name);
    if (range === undefined) return text;
    const words = [`minvalue ${range.lower}`, `maxvalue ${range.upper}`];
    const [minimum, maximum] = /START WITH/.test(text) ? words.map((word) => word.toUpperCase()) : words;
    return `${start}${range.first}${increment}${minimum}${space}${maximum}`;
  });
}
