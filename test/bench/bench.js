// How fast lizsync is, as ratios to what PostgreSQL itself needs for the same, measured side by side in one run:
//   npm run bench                         everything, about 30 minutes; writes test/bench/RESULTS.md and the table in README.md
//   npm run bench -- NAME...              only these (--list names them)
//   npm run bench -- --quick              a tenth of the data
//   npm run bench -- --scale 0.2 --repeats 5 --server local --json
import { parseArgs } from 'node:util';
import { cloneBenchmarks } from './benchmarks/clones.js';
import { lineBenchmarks } from './benchmarks/line.js';
import { packageBenchmarks } from './benchmarks/package.js';
import { syncBenchmarks } from './benchmarks/sync.js';
import { writeBenchmarks } from './benchmarks/writes.js';
import { Bench } from './harness.js';
import { describeMachine, formatTable, writeResults } from './results.js';

const benchmarks = [...syncBenchmarks, ...writeBenchmarks, ...lineBenchmarks, ...cloneBenchmarks, ...packageBenchmarks];

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: 'boolean', default: false },
    list: { type: 'boolean', default: false },
    quick: { type: 'boolean', default: false },
    scale: { type: 'string' },
    repeats: { type: 'string' },
    server: { type: 'string', default: 'embedded' },
  },
});
const scale = Number(values.scale ?? (values.quick ? 0.1 : 1));
const repeats = Number(values.repeats ?? 3);
const unknown = positionals.filter((name) => !benchmarks.some((benchmark) => benchmark.name === name));
const { server } = values;
if (!(scale > 0) || !(repeats >= 1) || unknown.length > 0 || (server !== 'embedded' && server !== 'local')) {
  console.error(
    `usage: npm run bench -- [NAME...] [--quick] [--scale N] [--repeats N] [--server embedded|local] [--json]`,
  );
  console.error(`names: ${benchmarks.map(({ name }) => name).join(' ')}`);
  process.exit(2);
}
if (values.list) {
  for (const { name } of benchmarks) console.log(name);
  process.exit(0);
}
/** @param {string} text */
const report = (text) => (values.json ? console.error(text) : console.log(text));

const bench = new Bench({ kind: server, scale, repeats });
/** @type {import('./harness.js').Line[]} */
const lines = [];
/** @type {string[]} */
const failures = [];
const startedAt = performance.now();
try {
  await bench.start();
  const machine = await describeMachine(bench);
  for (const benchmark of benchmarks) {
    if (positionals.length > 0 && !positionals.includes(benchmark.name)) continue;
    const since = performance.now();
    try {
      const measured = await benchmark.run(bench);
      lines.push(...measured);
      report(`\n${benchmark.name} (${((performance.now() - since) / 1000).toFixed(0)} s)\n${formatTable(measured)}`);
    } catch (error) {
      failures.push(benchmark.name);
      report(`\n${benchmark.name}: no number: ${/** @type {Error} */ (error).stack}`);
    }
    await bench.dropDatabases();
    // so far: a run that is stopped has not been in vain
    if (positionals.length === 0 && scale === 1) await writeResults(lines, failures, `${machine}; ${repeats} turns`);
  }
  const seconds = Math.round((performance.now() - startedAt) / 1000);
  if (values.json) console.log(JSON.stringify({ machine, scale, repeats, seconds, lines, failures }, null, 2));
} finally {
  await bench.stop();
}
const missed = lines.filter(({ reached }) => !reached).length;
report(`\n${lines.length} measured, ${missed} above their target, ${failures.length} without a number`);
process.exit(failures.length > 0 ? 1 : 0);
