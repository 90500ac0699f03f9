/** `equabot usage --by day` over a million requests, as a whole process, and how large their database is. */
import { rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { build } from 'esbuild'
import { ROOT } from '../scripts/install.mjs'
import { alternate, atMost, median, print } from './measure.mjs'
import { createHome, PROGRAM } from './stand.mjs'
import { runOnce } from './start-up.mjs'

const ROUNDS = 11
const DAYS = 365
const DAY_MS = 86_400_000
const CHUNK = 10_000
const MEGABYTE = 1024 * 1024

/** @param count how many requests */
export async function benchLedger(count = 1_000_000) {
  console.log(`\nledger of ${count} requests over ${DAYS} days (${ROUNDS} rounds in turn)`)
  const home = createHome()
  try {
    const path = join(home.state, 'ledger.sqlite')
    const seconds = await fill(path, count)
    print('written', `${Math.round(count / seconds)} requests per second`)
    const bytes = statSync(path).size
    print(
      'database',
      `${(bytes / MEGABYTE).toFixed(0)} MB, ${Math.round(bytes / count)} bytes per request`,
    )
    const run =
      (...args) =>
      () =>
        runOnce(args, home.env)
    const sides = {
      node: run('-e', '0'),
      day: run(PROGRAM, 'usage', '--by', 'day'),
      session: run(PROGRAM, 'usage', '--by', 'session'),
      requests: run(PROGRAM, 'requests', '--failed'),
    }
    await alternate(1, sides)
    const runs = await alternate(ROUNDS, sides)
    const of = (side, key) => median(runs[side].map((one) => one[key]))
    const row = (label, side, target) =>
      print(
        label,
        `${of(side, 'wallMs').toFixed(0)} ms, CPU ${of(side, 'cpuMs').toFixed(0)} ms`,
        target,
      )
    row('usage --by day, whole process, median', 'day', atMost(of('day', 'wallMs'), 300, 'ms'))
    row('usage --by session', 'session')
    row('requests --failed', 'requests')
    row('node -e 0', 'node')
  } finally {
    home.remove()
  }
}

/** Writes through the program's own adapter, so that the sums are its own as well. Gives how long that took, s. */
async function fill(path, count) {
  const { createLedger } = await adapter()
  const ledger = createLedger({
    path,
    clock: { now: () => Date.now(), sleep: () => Promise.resolve() },
    log: { write: () => undefined },
    locks: { withLock: (_name, run) => run() },
    price: async () => 0.0123,
    keep: async () => ({ keepDays: 400, maxBytes: Number.MAX_SAFE_INTEGER }),
  })
  const startedAt = performance.now()
  const first = Date.now() - DAYS * DAY_MS
  for (let from = 0; from < count; from += CHUNK) {
    for (let index = from; index < Math.min(count, from + CHUNK); index += 1) {
      ledger.append(requestAt(first + Math.floor((index * DAYS * DAY_MS) / count), index))
    }
    const written = await ledger.flush()
    if (!written.ok) throw new Error(JSON.stringify(written.fault))
  }
  await ledger.close()
  return (performance.now() - startedAt) / 1000
}

function requestAt(at, index) {
  const hasFailed = index % 50 === 0
  return {
    id: at.toString(36).padStart(9, '0') + index.toString(36).padStart(10, '0'),
    at,
    agent: index % 3 === 0 ? 'research' : 'main',
    session: `session-${Math.floor(index / 40) % 5000}`,
    client: ['chat', 'claude-cli', 'OpenAI/JS'][index % 3],
    asked: 'sonnet',
    model: `anthropic/claude-sonnet-${index % 4}`,
    profile: `anthropic:profile-${index % 10}`,
    lane: index % 2 === 0 ? 'subscription' : 'metered',
    outcome: hasFailed ? 'failed' : 'served',
    ...(hasFailed && { reason: 'rate_limit', fault: 'EQ_UPSTREAM_FAILED' }),
    attempts: hasFailed ? 3 : 1,
    firstByteMs: 400 + (index % 900),
    totalMs: 3000 + (index % 9000),
    usage: { inputTokens: 1200 + (index % 5000), outputTokens: 300, cacheReadTokens: 900 },
  }
}

async function adapter() {
  const outfile = join(ROOT, '.scratch', 'bench-ledger.mjs')
  await build({
    entryPoints: [fileURLToPath(new URL('../src/adapters/ledger.ts', import.meta.url))],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    external: ['@photostructure/sqlite'],
    logLevel: 'error',
  })
  try {
    return await import(pathToFileURL(outfile).href)
  } finally {
    rmSync(outfile)
  }
}
