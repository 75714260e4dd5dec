import { expect, it } from 'vitest';
import { CopyRows, copyHeader, copyTrailer } from '../../src/db/copy-rows.js';

/** A row as COPY writes it in binary format; null: a null. */
function toRow(values: (string | null)[]): Buffer {
  const fieldCount = Buffer.alloc(2);
  fieldCount.writeInt16BE(values.length);
  const fields = values.map((value) => {
    const length = Buffer.alloc(4);
    length.writeInt32BE(value === null ? -1 : Buffer.byteLength(value));
    return Buffer.concat([length, Buffer.from(value ?? '')]);
  });
  return Buffer.concat([fieldCount, ...fields]);
}

// values that look like trailers, lengths and rows, none at all, and one longer than its length has in the first byte
const rows = [
  toRow(['a', null, 'é']),
  toRow(['\uffff\uffff', '', '\0\0\0\x04abcd']),
  toRow([null, null, null]),
  toRow(['x'.repeat(300), toRow(['b', null]).toString('latin1'), '']),
];
const copy = Buffer.concat([copyHeader, ...rows, copyTrailer]);
const ends = rows.map((_, index) => Buffer.concat([copyHeader, ...rows.slice(0, index + 1)]).length);

it.each([1, 2, 3, 5, 7, 19, 64, 1000])('the ends of rows are found in pieces of %i bytes', (size) => {
  const found = new CopyRows();
  for (let start = 0; start < copy.length; start += size) {
    const piece = copy.subarray(start, start + size);
    const last = ends.filter((end) => end > start && end <= start + piece.length).at(-1);
    const end = found.pass(piece);
    // nothing is lost where it is cut behind the header
    if (last !== undefined || start + end !== copyHeader.length)
      expect(end, `at ${start}`).toBe((last ?? start) - start);
  }
});
