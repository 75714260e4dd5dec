// Random histories of edits, syncs and faults on real servers for a long time, against a model in memory.
//   npm run soak -- --minutes 30 [--seed S]
// A failure prints what repeats it.
import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: { minutes: { type: 'string', default: '10' }, seed: { type: 'string' } },
});
if (!(Number(values.minutes) > 0)) {
  console.error('usage: npm run soak -- --minutes N [--seed S]');
  process.exit(2);
}
const { status } = spawnSync('vitest', ['run', 'test/model'], {
  stdio: 'inherit',
  env: {
    ...process.env,
    LIZSYNC_SOAK_MINUTES: values.minutes,
    ...(values.seed === undefined ? {} : { LIZSYNC_MODEL_SEED: values.seed }),
  },
});
process.exit(status ?? 1);
