import fc from 'fast-check';
import { expect, test } from 'vitest';
import { arbitraryHistory, type History, runHistory, type Statistics } from '../support/model-history.js';
import { ModelWorld } from '../support/model-world.js';

// npm run soak sets these, and so does who repeats a failure.
const soakMinutes = Number(process.env.LIZSYNC_SOAK_MINUTES || 0);
// a soak explores; npm test plays the same histories each time
const randomSeed = soakMinutes > 0 ? Math.floor(Math.random() * 2 ** 31) : 1;
const firstSeed = Number(process.env.LIZSYNC_MODEL_SEED || randomSeed);
const path = process.env.LIZSYNC_MODEL_PATH;
const wantedClones = Number(process.env.LIZSYNC_MODEL_CLONES || 0);

const shortSeconds = 15;
/** How long a soak uses the same databases. */
const worldSeconds = 240;
const shrinkSeconds = 90;
/** How long the last history may take after its time is over, where much else runs on the machine. */
const patienceSeconds = 600;
const commandsPerHistory = soakMinutes > 0 ? 100 : 40;

test(
  'After any history of edits, syncs and faults all servers are equal, nothing is lost unrecorded, nothing is repeated',
  async () => {
    const statistics: Statistics = {};
    const end = Date.now() + 60_000 * soakMinutes;
    let seed = firstSeed;
    do {
      const cloneCount = wantedClones || 2 + (seed % 3);
      const remaining = Math.ceil((end - Date.now()) / 1000);
      await explore(seed, cloneCount, soakMinutes > 0 ? Math.min(remaining, worldSeconds) : shortSeconds, statistics);
      if (soakMinutes > 0) console.log(`${new Date().toISOString()} seed ${seed}: ${JSON.stringify(statistics)}`);
      seed += 1;
    } while (Date.now() < end && path === undefined);

    const lines = Object.entries(statistics).sort(([a], [b]) => a.localeCompare(b));
    console.log(
      [`seeds ${firstSeed} to ${seed - 1}`, ...lines.map(([what, count]) => `${what}: ${count}`)].join('\n  '),
    );
    if ((statistics.histories ?? 0) >= 10) {
      expect(statistics['rows: delete']).toBeGreaterThan(0);
      expect(statistics.conflicts).toBeGreaterThan(0);
      expect(statistics.faults).toBeGreaterThan(0);
    }
  },
  60_000 * soakMinutes + 1000 * (shortSeconds + shrinkSeconds + patienceSeconds),
);

/** Runs random histories for some time; a failure is made as small as can be in some more, and thrown. */
async function explore(seed: number, cloneCount: number, seconds: number, statistics: Statistics): Promise<void> {
  const world = await ModelWorld.create(cloneCount);
  let hasFailed = false;
  let limit = Date.now() + 1000 * seconds;
  const result = await fc.check(
    fc.asyncProperty(arbitraryHistory(cloneCount, commandsPerHistory), async (history) => {
      if (Date.now() > limit) return;
      try {
        await runHistory(world, history, statistics);
      } catch (error) {
        if (!hasFailed) {
          console.error(`seed ${seed}, ${cloneCount} clones: ${error}\n${print(history)}`);
          hasFailed = true;
          limit = Date.now() + 1000 * shrinkSeconds;
        }
        throw error;
      }
    }),
    // more than there is time for; those that come after the limit are made up, but not played
    // a path leads to the one history to repeat
    { seed, ...(path === undefined ? { numRuns: 1000 } : { path, numRuns: 1, endOnFailure: true }) },
  );
  if (result.failed) {
    const [history] = result.counterexample as [History];
    const { errorInstance } = result;
    throw new Error(
      `${errorInstance instanceof Error ? errorInstance.message : errorInstance}
Repeat with LIZSYNC_MODEL_SEED=${seed} LIZSYNC_MODEL_PATH=${result.counterexamplePath} LIZSYNC_MODEL_CLONES=${cloneCount}
${print(history)}`,
      { cause: errorInstance },
    );
  }
  await world.drop();
}

function print({ clocks, commands }: History): string {
  return [`clocks: ${clocks}`, ...commands.map((command) => JSON.stringify(command))].join('\n');
}
