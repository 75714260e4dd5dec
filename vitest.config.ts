import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

// Where a run leaves its results as JSON, for a program to count them.
const report = process.env.LIZSYNC_TEST_REPORT;
const jsonReporter = (outputFile: string): ['json', { outputFile: string }] => ['json', { outputFile }];
// a test may have to wait until another one's transaction is over
const common = { testTimeout: 300_000, hookTimeout: 60_000 };

/** Begins with what takes minutes, so that the other worker is not done long before. */
class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const isLong = ({ moduleId }: TestSpecification): boolean => moduleId.endsWith('/large-values.test.ts');
    const sorted = await super.sort(files);
    return [...sorted.filter(isLong), ...sorted.filter((file) => !isLong(file))];
  }
}

export default defineConfig({
  test: {
    sequence: { sequencer: LongestFirst },
    globalSetup: 'test/support/global-setup.ts',
    maxWorkers: 2,
    pool: 'forks',
    reporters: ['default', './test/support/skip-reporter.ts', ...(report ? [jsonReporter(report)] : [])],
    projects: [
      { test: { ...common, name: 'unit', include: ['test/unit/**/*.test.ts'] } },
      { test: { ...common, name: 'integration', include: ['test/integration/**/*.test.ts'] } },
      // for some seconds; scripts/soak.js lets it run for longer
      { test: { ...common, name: 'model', include: ['test/model/**/*.test.ts'] } },
    ],
  },
});
