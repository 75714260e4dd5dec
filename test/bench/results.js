// The table of results: for the terminal, for test/bench/RESULTS.md and for README.md.
import { readFile, writeFile } from 'node:fs/promises';
import os from 'node:os';
import { withClient } from './harness.js';

const resultsFile = new URL('RESULTS.md', import.meta.url);
const readmeFile = new URL('../../README.md', import.meta.url);
const markers = /(<!-- benchmark -->\n)[\s\S]*(<!-- end of benchmark -->)/;

/** @typedef {import('./harness.js').Line} Line */

/** @param {Line} line */
function toCells({ what, measured, limit, ratio, target, reached }) {
  return [what, measured, limit, ratio === null ? '' : `${ratio.toFixed(2)} x`, target, reached ? 'yes' : '**no**'];
}

const header = ['what', 'measured', 'compared with', 'ratio', 'target', 'reached'];

/** For people at a terminal. @param {Line[]} lines */
export function formatTable(lines) {
  const rows = [header, ...lines.map(toCells)];
  const widths = header.map((_, column) => Math.max(...rows.map((row) => String(row[column]).length)));
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** As Markdown. @param {Line[]} lines */
function formatMarkdown(lines) {
  const rows = [header, header.map(() => '---'), ...lines.map(toCells)];
  return rows.map((row) => `| ${row.join(' | ')} |`).join('\n');
}

/** @param {import('./harness.js').Bench} bench @returns {Promise<string>} */
export async function describeMachine(bench) {
  const { url } = await bench.createDatabase('central');
  const version = await withClient(url, async (client) => {
    const { rows } = await client.query("select current_setting('server_version') as version");
    return rows[0].version;
  });
  const processors = os.cpus();
  const memory = Math.round(os.totalmem() / 2 ** 30);
  return (
    `${processors.length} x ${processors[0]?.model.trim() ?? os.arch()}, ${memory} GB, ${os.type()} ${os.release().split('-')[0]}; ` +
    `PostgreSQL ${version} (fsync on), Node ${process.versions.node}; central, clone and program on this one machine`
  );
}

/**
 * Writes the table into RESULTS.md and README.md, between their markers.
 * @param {Line[]} lines
 * @param {string[]} failures the benchmarks that ended without a number
 * @param {string} machine
 */
export async function writeResults(lines, failures, machine) {
  const day = new Date().toISOString().slice(0, 10);
  const missing = failures.length > 0 ? ` Without a number: ${failures.join(', ')}.` : '';
  const text = `\n${formatMarkdown(lines)}\n\nMeasured ${day}: ${machine}.${missing}\n\n`;
  for (const file of [resultsFile, readmeFile]) {
    const before = await readFile(file, 'utf8');
    if (!markers.test(before)) throw new Error(`${file.pathname} has no markers for the benchmark`);
    await writeFile(
      file,
      before.replace(markers, (_, begin, end) => `${begin}${text}${end}`),
    );
  }
}
