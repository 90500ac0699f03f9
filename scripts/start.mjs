/** `npm start`: installs and builds what is missing, then runs the gateway with a chat. */
import { spawn } from 'node:child_process'
import { constants } from 'node:os'
import { join } from 'node:path'
import { installPackages, requireNode, ROOT } from './install.mjs'

requireNode()
installPackages()
const { build } = await import('./build.mjs')
await build({ types: false })

const program = join(ROOT, 'dist', 'equabot.js')
const child = spawn(process.execPath, [program, 'up', ...process.argv.slice(2)], {
  stdio: 'inherit',
})

// The terminal sends Ctrl-C to the whole group: the child has it already, and decides what it means.
process.on('SIGINT', () => undefined)
for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))

child.on('exit', (code, signal) => {
  process.exitCode = code ?? 128 + constants.signals[signal]
})
