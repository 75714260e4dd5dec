import { withArchive } from '../archive/archive-reader.js';
import {
  afterEntryName,
  type EntryDigest,
  type Manifest,
  type NeededExtension,
  postDataEntryName,
  preDataEntryName,
  viewsEntryName,
} from '../archive/manifest.js';
import { readSchemaScript, type SchemaSection } from '../archive/schema-script.js';
import { LizsyncError } from '../errors.js';
import type { ProgressCallback } from './progress.js';

export interface InspectedEntry extends EntryDigest {
  name: string;
  /** What is wrong with it; null: it is as the manifest says. */
  problem: string | null;
}

/** What is in an archive, by what it says about itself: whether a central made it, only that central knows. */
export interface InspectedArchive {
  /** Size of the file. */
  bytes: number;
  packageId: string;
  createdAt: string;
  lizsyncVersion: string;
  /** As "18.1". */
  postgresVersion: string;
  central: Manifest['central'];
  snapshot: string;
  /** Of manifest.json, in hex: the central knows the package by it. */
  manifestSha256: string;
  tables: { schema: string; name: string; columns: string[]; excludedColumns: string[]; rows: number; bytes: number }[];
  sequences: string[];
  extensions: NeededExtension[];
  /** Views, materialized ones too. */
  views: string[];
  /** Functions, with their argument types. */
  functions: string[];
  /** Roles that get rights or have policies. */
  roles: string[];
  /** Whether SQL of a user runs at the end of deploy. */
  hasSqlAfter: boolean;
  entries: InspectedEntry[];
}

/** Entries that hold statements of lizsync's own making. */
const scriptNames = new Set([preDataEntryName, postDataEntryName, viewsEntryName]);

/**
 * Reads an archive from its beginning to its end, and checks every entry. Nothing of it is run or kept.
 * @throws UsageError when there is no such file
 * @throws LizsyncError when it is no package, or so damaged that it doesn't say what it holds
 */
export async function inspectArchive(file: string, onProgress: ProgressCallback = () => {}): Promise<InspectedArchive> {
  return withArchive(file, async (archive) => {
    const { manifest } = archive;
    onProgress({ kind: 'step', text: 'checking the archive' });
    const entries: InspectedEntry[] = [];
    for (const [name, digest] of Object.entries(manifest.entries)) {
      entries.push({ name, ...digest, problem: await findProblem(() => archive.verify(name)) });
    }
    const sections: SchemaSection[] = [];
    for (const entry of entries) {
      if (entry.problem !== null || !scriptNames.has(entry.name)) continue;
      entry.problem = await findProblem(async () => {
        sections.push(...readSchemaScript(await archive.readText(entry.name), manifest.packageId, entry.name));
      });
    }
    return {
      bytes: archive.bytes,
      packageId: manifest.packageId,
      createdAt: manifest.createdAt,
      lizsyncVersion: manifest.lizsyncVersion,
      postgresVersion: `${Math.floor(manifest.postgresVersion / 10_000)}.${manifest.postgresVersion % 10_000}`,
      central: manifest.central,
      snapshot: manifest.snapshot,
      manifestSha256: archive.manifestSha256,
      tables: manifest.tables.map(({ entry: _entry, ...table }) => table),
      sequences: manifest.sequences.map(({ schema, name }) => `${schema}.${name}`),
      extensions: manifest.extensions,
      views: sections.filter(({ kind }) => /view$/.test(kind)).map(({ identity }) => identity),
      functions: sections.filter(({ kind }) => kind === 'function').map(({ identity }) => identity),
      roles: [...new Set(sections.flatMap(({ roles }) => roles ?? []))].sort(),
      hasSqlAfter: archive.has(afterEntryName),
      entries,
    };
  });
}

async function findProblem(work: () => Promise<unknown>): Promise<string | null> {
  try {
    await work();
    return null;
  } catch (error) {
    if (error instanceof LizsyncError) return error.message;
    throw error;
  }
}
