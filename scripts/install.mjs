/** What every entry script needs first: a Node that is new enough, and the packages of the lock file. */
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const ROOT = fileURLToPath(new URL('..', import.meta.url))

/** Ends the program with exit code 78 when this Node is older than `engines.node` of package.json. */
export function requireNode() {
  const { engines } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))
  const wanted = engines.node.replace(/^\D+/, '')
  if (isAtLeast(process.versions.node, wanted)) return
  console.error(`Equabot needs Node ${wanted} or newer; this is ${process.versions.node}.`)
  console.error('Get a current one from https://nodejs.org, or with your version manager.')
  process.exit(78)
}

/** Installs exactly what the lock file says, when node_modules is missing or older than the lock file. */
export function installPackages() {
  if (!isStale()) return
  console.error('Installing packages (once; it takes a minute at most) ...')
  // Install scripts stay off: every native package here ships a prebuilt binary.
  const args = ['ci', '--include=dev', '--ignore-scripts', '--no-audit', '--no-fund']
  const npm = spawnSync(...npmCommand(args), { cwd: ROOT, encoding: 'utf8' })
  if (npm.status === 0) return
  console.error(npm.error?.message ?? `${npm.stdout}${npm.stderr}`)
  console.error('npm could not install the packages; its own words are above.')
  process.exit(69)
}

function isStale() {
  const installed = join(ROOT, 'node_modules', '.package-lock.json')
  if (!existsSync(installed)) return true
  return statSync(join(ROOT, 'package-lock.json')).mtimeMs > statSync(installed).mtimeMs
}

/** The npm that started us where there is one, so that both speak the same lock-file dialect. */
export function npmCommand(args) {
  const npmCli = process.env.npm_execpath
  if (npmCli?.endsWith('npm-cli.js')) return [process.execPath, [npmCli, ...args]]
  return process.platform === 'win32'
    ? [`npm.cmd ${args.join(' ')}`, [], { shell: true }]
    : ['npm', args]
}

function isAtLeast(version, wanted) {
  const [have, want] = [version, wanted].map((text) => text.split('.').map(Number))
  const differs = want.findIndex((part, index) => have[index] !== part)
  return differs === -1 || have[differs] > want[differs]
}
