import type { Reporter, TestModule } from 'vitest/node';

/** Names each skipped test at the end of the run, so that nobody takes a skipped test for a passed one. */
export default class SkipReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const names = modules.flatMap((module) =>
      [...module.children.allTests('skipped')].map((test) => `${module.relativeModuleId} > ${test.fullName}`),
    );
    if (names.length > 0) {
      console.log(`\nSkipped:\n${names.map((name) => `  ${name}`).join('\n')}`);
    }
  }
}
