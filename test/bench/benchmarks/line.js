// Synchronisation over a bad line: 150 ms each way to the central, and what passes over it.
import { formatBytes, formatTime } from '../harness.js';
import { createObservations } from '../observations.js';
import { createSlowLine } from '../slow-line.js';

/** @typedef {import('../harness.js').Benchmark} Benchmark */
/** @typedef {import('../harness.js').Line} Line */

const delayMilliseconds = 150;

/** @type {Benchmark} */
const slowLine = {
  name: 'slow-line',
  async run(bench) {
    const changes = bench.scaled(10_000);
    const count = changes.toLocaleString('en');
    const link = await bench.link(createObservations('bench.obs', changes));
    const { central, clone } = link;
    const line = await createSlowLine(central.server, delayMilliseconds);
    const far = { central: { ...central, url: line.urlOf(central) }, clone };
    const update = 'update bench.obs set value = value + 1';
    /** @type {Line[]} */
    const lines = [];
    for (const { what, sender, direction, most } of [
      { what: 'without changes', sender: undefined, direction: undefined, most: 4000 },
      { what: `of ${count} one-column updates, central to clone`, sender: central, direction: 'pulled', most: 6000 },
      { what: `of ${count} one-column updates, clone to central`, sender: clone, direction: 'pushed', most: 6000 },
    ]) {
      await sender?.client.query(update);
      line.reset();
      const { milliseconds, json } = await bench.sync(far);
      if (direction && json[direction] !== changes)
        throw new Error(`${direction} ${json[direction]} rows of ${changes}`);
      lines.push({
        what: `sync ${what}, ${delayMilliseconds} ms each way to the central, ${line.turns()} turns`,
        measured: formatTime(milliseconds),
        limit: '',
        ratio: null,
        target: `<= ${formatTime(most)}`,
        reached: milliseconds <= most,
      });
      if (!direction) continue;
      const bytes = line.passed();
      lines.push({
        what: 'the same, bytes over the line',
        measured: formatBytes(bytes),
        limit: '',
        ratio: null,
        target: `<= ${formatBytes(150 * changes)}`,
        reached: bytes <= 150 * changes,
      });
    }
    line.close();
    await bench.requireEqual(link);
    return lines;
  },
};

export const lineBenchmarks = [slowLine];
