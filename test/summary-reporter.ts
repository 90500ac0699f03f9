import type { Reporter, SerializedError, TestModule } from 'vitest/node'

/** Ends a run with what failed, one line each, and the line `N passed, N failed, N skipped`. */
export class SummaryReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], strayErrors: readonly SerializedError[]): void {
    const tests = modules.flatMap((module) => [...module.children.allTests()])
    const count = (state: string): number =>
      tests.filter((test) => test.result().state === state).length

    // A file that does not load and a hook that throws have no test to be counted with; a stray error neither.
    const brokenFiles = modules.filter((module) => module.errors().length > 0)
    const brokenSuites = modules
      .flatMap((module) => [...module.children.allSuites()])
      .filter((suite) => suite.errors().length > 0)
    const failures = [
      ...tests
        .filter((test) => test.result().state === 'failed')
        .map((test) => `${test.module.relativeModuleId}: ${test.fullName}`),
      ...brokenFiles.map((module) => `${module.relativeModuleId}: the file did not load`),
      ...brokenSuites.map(
        (suite) => `${suite.module.relativeModuleId}: a hook of ${suite.fullName}`,
      ),
      ...strayErrors.map((error) => `outside of any test: ${error.message}`),
    ]
    for (const failure of failures) console.log(`failed  ${failure}`)
    const skipped = count('skipped') + count('pending')
    console.log(`${count('passed')} passed, ${failures.length} failed, ${skipped} skipped`)
  }
}
