import { readFileSync } from 'node:fs'
import { defineConfig } from 'vitest/config'
import { SummaryReporter } from './test/summary-reporter.ts'

const { version } = JSON.parse(readFileSync(new URL('package.json', import.meta.url), 'utf8'))
const scenarios = 'test/scenario/**/*.test.ts'

export default defineConfig({
  define: { __EQUABOT_VERSION__: JSON.stringify(version) },
  test: {
    reporters: ['default', new SummaryReporter()],
    projects: [
      {
        extends: true,
        test: { name: 'rooms', include: ['test/**/*.test.ts'], exclude: [scenarios] },
      },
      {
        extends: true,
        test: {
          name: 'scenarios',
          include: [scenarios],
          globalSetup: ['scripts/build-for-scenarios.mjs'],
          // A scenario starts whole programs; on a busy machine that alone takes seconds.
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
    ],
  },
})
