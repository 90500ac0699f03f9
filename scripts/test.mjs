/** `npm test [-- file ...]`: installs what is missing, then runs the tests; these build what they need. */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { installPackages, requireNode, ROOT } from './install.mjs'

requireNode()
installPackages()
const vitest = join(ROOT, 'node_modules', 'vitest', 'vitest.mjs')
const run = spawnSync(process.execPath, [vitest, 'run', ...process.argv.slice(2)], {
  cwd: ROOT,
  stdio: 'inherit',
})
process.exitCode = run.status ?? 70
