/**
 * Everything that must hold before a change goes in: tests, format, lint, types, floors, dead code, package.
 *
 * Runs all of it even when one thing fails, says at the end what failed, and closes with the line
 * `N passed, N failed`: every test counts as one, and every other check.
 */
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { installPackages, npmCommand, requireNode, ROOT } from './install.mjs'

requireNode()
installPackages()

const tool = (path, ...args) => [process.execPath, [join(ROOT, 'node_modules', path), ...args]]
const script = (name, ...args) => [process.execPath, [join(ROOT, 'scripts', name), ...args]]

const checks = [
  ['tests', npmCommand(['test', '--silent'])],
  ['format', tool('oxfmt/bin/oxfmt', '--check', 'src', 'test', 'scripts', 'bench', 'chaos')],
  ['lint', tool('oxlint/bin/oxlint', '--type-aware')],
  ['types', tool('typescript/bin/tsc', '--noEmit')],
  ['floors and circles', script('floors.mjs')],
  ['dead code', tool('knip/bin/knip.js')],
  ['build with types', script('build.mjs')],
  ['package shape', tool('publint/src/cli.js', 'run', '--strict')],
  [
    'package types',
    tool('@arethetypeswrong/cli/dist/index.js', '--pack', '.', '--profile', 'esm-only'),
  ],
]

const failed = []
const total = { passed: 0, failed: 0 }
for (const [name, command] of checks) {
  const startedAt = performance.now()
  console.log(`\n== ${name}`)
  const { code, output } = await run(command)
  const counts = countsOf(output) ?? { passed: Number(code === 0), failed: Number(code !== 0) }
  // A runner that dies after its summary, or before it, has failed whatever it counted.
  if (code !== 0 && counts.failed === 0) counts.failed = 1
  total.passed += counts.passed
  total.failed += counts.failed
  if (counts.failed > 0) failed.push(name)
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1)
  console.log(`-- ${name}: ${counts.failed > 0 ? 'FAILED' : 'ok'} (${seconds} s)`)
}

console.log(failed.length > 0 ? `\nfailed: ${failed.join(', ')}` : '\nall checks passed')
console.log(`${total.passed} passed, ${total.failed} failed`)
process.exitCode = total.failed > 0 ? 1 : 0

/** Runs one check, its output shown as it comes and kept. */
function run([command, args, options]) {
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      cwd: ROOT,
      stdio: ['ignore', 'pipe', 'pipe'],
      ...options,
    })
    let output = ''
    const keep = (chunk) => {
      output += chunk
      process.stdout.write(chunk)
    }
    child.stdout.on('data', keep)
    child.stderr.on('data', keep)
    child.on('error', (error) => keep(`${error.message}\n`))
    child.on('close', (code) => resolve({ code: code ?? 70, output }))
  })
}

/** @returns what the test run's last summary line says; nothing for checks that do not count */
function countsOf(output) {
  const summary = [...output.matchAll(/^(\d+) passed, (\d+) failed, \d+ skipped$/gm)].at(-1)
  return summary && { passed: Number(summary[1]), failed: Number(summary[2]) }
}
