import { crc32, deflateRawSync } from 'node:zlib';

/** An entry of a ZIP file, honest unless told otherwise. */
export interface RawEntry {
  name: string;
  content: Buffer | string;
  deflated?: boolean;
  /** What is in the file instead of the content, deflated or not. */
  data?: Buffer;
  /** What the headers say, whatever is true. */
  uncompressedSize?: number;
  compressedSize?: number;
  flags?: number;
  method?: number;
  crc?: number;
  /** Name in the entry's own header, in front of its data; default: the same as in the directory. */
  localName?: string;
  /** Unix mode, such as 0o120777 for a symbolic link. */
  mode?: number;
  /** Extra fields of the directory: id and content. */
  extra?: { id: number; content: Buffer }[];
  comment?: string;
  /** Where its header is said to be; default: where it is. */
  offset?: number;
}

/** Makes a ZIP file byte by byte, to any plan. */
export function makeZip(entries: RawEntry[], options: { entryCount?: number; comment?: string } = {}): Buffer {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const entry of entries) {
    const name = Buffer.from(entry.name);
    const localName = Buffer.from(entry.localName ?? entry.name);
    const content = Buffer.from(entry.content);
    const data = entry.data ?? (entry.deflated ? deflateRawSync(content) : content);
    const extra = Buffer.concat(
      (entry.extra ?? []).map(({ id, content: field }) => {
        const header = Buffer.alloc(4);
        header.writeUInt16LE(id, 0);
        header.writeUInt16LE(field.length, 2);
        return Buffer.concat([header, field]);
      }),
    );
    const comment = Buffer.from(entry.comment ?? '');
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt16LE((entry.flags ?? 0) | 0x800, 2);
    common.writeUInt16LE(entry.method ?? (entry.deflated ? 8 : 0), 4);
    common.writeUInt32LE(entry.crc ?? crc32(content), 10);
    common.writeUInt32LE(entry.compressedSize ?? data.length, 14);
    common.writeUInt32LE(entry.uncompressedSize ?? content.length, 18);
    common.writeUInt16LE(localName.length, 22);
    const local = Buffer.concat([Buffer.from('PK\x03\x04'), common, localName, data]);
    const listed = Buffer.from(common);
    listed.writeUInt16LE(name.length, 22);
    listed.writeUInt16LE(extra.length, 24);
    const central = Buffer.alloc(14);
    central.writeUInt16LE(comment.length, 0);
    central.writeUInt32LE(((entry.mode ?? 0) * 0x10000) >>> 0, 6);
    central.writeUInt32LE(entry.offset ?? offset, 10);
    // made on unix
    directory.push(Buffer.concat([Buffer.from('PK\x01\x02\x14\x03'), listed, central, name, extra, comment]));
    parts.push(local);
    offset += local.length;
  }
  const size = directory.reduce((sum, { length }) => sum + length, 0);
  const comment = Buffer.from(options.comment ?? '');
  const end = Buffer.alloc(18);
  end.writeUInt16LE(options.entryCount ?? entries.length, 4);
  end.writeUInt16LE(options.entryCount ?? entries.length, 6);
  end.writeUInt32LE(size, 8);
  end.writeUInt32LE(offset, 12);
  end.writeUInt16LE(comment.length, 16);
  return Buffer.concat([...parts, ...directory, Buffer.from('PK\x05\x06'), end, comment]);
}

/** Deflates so many zero bytes, piece by piece: a small file that unpacks to a huge one. */
export function deflateZeros(bytes: number): Buffer {
  const piece = 16 * 1024 * 1024;
  if (bytes % piece !== 0) throw new Error('a multiple of 16 MB, please');
  // a full flush ends a piece without ending the stream, and the pieces don't refer to each other
  const block = deflateRawSync(Buffer.alloc(piece), { finishFlush: 3 });
  const end = deflateRawSync(Buffer.alloc(0));
  return Buffer.concat([...Array.from({ length: bytes / piece }, () => block), end]);
}
