/**
 * Row 5: every file operation of a save fails, with each of three errors, once and from then on.
 *
 * First inside one process, through the seam under the stores; then, where one program may trace another, by failing
 * the system calls of the real program while it stores a key. Whatever fails: the book parses, is for its owner alone,
 * holds what was acknowledged, or the state before or after what was not.
 */
import { cpSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { randomFrom, someOf } from '../random.mjs'
import { bundleDriver, programs } from '../bundle.mjs'
import { BOOK, createFindings, createHome, inLanes, MEMORY, run, start } from '../stand.mjs'
import { callsInto, trace, waitsForInput, whyNoTracing } from '../system-calls.mjs'

const ERRORS = ['EIO', 'ENOSPC', 'EACCES']

export const SIZES = {
  ci: { renewals: ['ENOSPC'], traced: 12 },
  full: { renewals: ERRORS, traced: Infinity },
}
const LANES = 2
const PATIENCE_MS = 5_000
/** A lock that seems to be another's is waited for, ms. */
const LOCK_PATIENCE_MS = 40_000

export async function row5({ renewals = [], traced }, seed, breakage) {
  const findings = createFindings()
  const inside = await failInside(breakage, findings)
  const renewing = await failRenewals(renewals, findings)
  const outside = await failSystemCalls(traced, seed, findings)
  return {
    row: 5,
    passed: findings.list().length === 0 && inside['failed operations'] > 0,
    problems: findings.list(),
    figures: { ...inside, ...renewing, ...outside },
  }
}

async function failInside(breakage, findings) {
  const home = createHome({}, MEMORY)
  const ran = await run(await bundleDriver('store-faults', breakage), [home.home])
  home.remove()
  if (ran.code !== 0) findings.add('the driver failed', ran.err)
  const ends = ran.out
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line))
  for (const { problems, ...end } of ends) {
    for (const problem of problems) findings.add(problem, JSON.stringify(end))
  }
  return {
    'runs in one process': ends.length,
    'failed operations': ends.reduce((sum, { failed }) => sum + failed, 0),
  }
}

/**
 * The operations of whole renewals, journal and book alike. One failure loses nothing, nor does a disk that refuses
 * everything for a minute. One that takes nothing any more, from the very instant when the answer is there, may lose a
 * login of a server that does not repeat itself.
 */
async function failRenewals(errors, findings) {
  if (errors.length === 0) return {}
  const home = createHome({}, MEMORY)
  const ran = await run(await bundleDriver('failing-renewals'), [home.home, ...errors])
  home.remove()
  if (ran.code !== 0) findings.add('the driver failed', ran.err)
  const ends = ran.out
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line))
  const lost = 'lost, as the disk took nothing for two minutes'
  const figures = { 'renewals on a failing disk': ends.length, [lost]: 0 }
  for (const end of ends) {
    const about = JSON.stringify(end)
    if (end.alive && !end.isCurrent) findings.add('a renewal did not recover', about)
    if (end.alive && end.verdict === 'rejected') findings.add('called dead while it lives', about)
    if (end.alive) continue
    const isBeyondHelp = end.mode === 'strict' && end.isForGood && !end.isStored
    if (isBeyondHelp) figures[lost] += 1
    else findings.add('a renewal lost the login', about)
  }
  return figures
}

/** A key that looks like OpenRouter's, and like nothing that was ever issued. */
const keyOf = (digit) => `sk-or-v1-${digit.repeat(64)}`
const OLD = keyOf('0')
const NEW = keyOf('1')
const PROFILE = 'openrouter:chaos'
const COMMAND = [
  'models',
  'auth',
  'paste-token',
  '--provider',
  'openrouter',
  '--profile-id',
  PROFILE,
]
const WAKING = new Set(['read', 'write'])
const CALLS = 'openat,read,write,fsync,close,rename,mkdir,statx,readlink,getdents64,fcntl'

async function failSystemCalls(limit, seed, findings) {
  if (limit === 0) return {}
  const why = whyNoTracing()
  if (why) return { 'system calls': `skipped: ${why}` }
  const { program } = await programs()
  const template = { ...createHome(), program }
  const first = await run(program, COMMAND, { env: template.env, input: OLD })
  if (first.code !== 0) throw new Error(`the key was not stored: ${first.err}`)

  const clean = await storeUnderTrace(template, ['-e', `trace=${CALLS}`])
  const points = callsInto(clean.stateDir, clean.lines).flatMap(({ name, nth }) =>
    ERRORS.flatMap((errno) => [
      { name, nth, errno, when: String(nth) },
      { name, nth, errno, when: `${nth}+` },
    ]),
  )
  const chosen = someOf(randomFrom(seed, 'row 5'), points, limit)
  const figures = {
    'system calls': points.length,
    'runs of the program': chosen.length,
    'hit their call': 0,
    refused: 0,
    'Node could not go on': 0,
  }
  await inLanes(LANES, chosen.length, async (index) => {
    const { name, errno, when } = chosen[index]
    const inject = ['-e', `trace=${CALLS}`, '-e', `inject=${name}:error=${errno}:when=${when}`]
    const patienceMs = name === 'fcntl' ? LOCK_PATIENCE_MS : PATIENCE_MS
    const ran = await storeUnderTrace(template, inject, patienceMs)
    const about = `${name} ${when} ${errno}`
    if (ran.lines.some((line) => line.includes('(INJECTED)') && line.includes(ran.stateDir)))
      figures['hit their call'] += 1
    if (ran.code !== 0) figures.refused += 1
    if (ran.code === undefined) {
      // Node wakes its own threads by reading and writing, and asserts that its own files can be read and closed.
      const isNodes = WAKING.has(name) || ran.err.includes('Native stack trace')
      if (isNodes) figures['Node could not go on'] += 1
      else findings.add('the program did not end by itself', `${about} ${ran.err}`)
    }
    for (const problem of ran.problems)
      findings.add(problem, `${about}; it ended with ${ran.code}: ${ran.err}`)
  })
  template.remove()
  return figures
}

/** Stores the new key in a copy of the template while strace looks on. */
async function storeUnderTrace(template, options, patienceMs = PATIENCE_MS) {
  const home = createHome()
  cpSync(template.home, home.home, { recursive: true, preserveTimestamps: true })
  const storing = start(template.program, COMMAND, {
    // One thread for the disk, so that its calls come in one order.
    env: { ...home.env, UV_THREADPOOL_SIZE: '1' },
  })
  await waitsForInput(storing.pid)
  const traced = await trace(storing.pid, options, join(home.home, 'trace'))
  storing.child.stdin.end(NEW)
  const late = setTimeout(() => storing.child.kill('SIGKILL'), patienceMs)
  const { code } = await storing.ended
  clearTimeout(late)
  const lines = await traced()
  const problems = checkBook(join(home.home, BOOK), code === 0)
  home.remove()
  return {
    code: code ?? undefined,
    lines,
    problems,
    stateDir: home.stateDir,
    err: storing.errors(),
  }
}

function checkBook(path, isAcknowledged) {
  try {
    const mode = (statSync(path).mode & 0o777).toString(8)
    if (mode !== '600') return [`mode ${mode}`]
    const key = JSON.parse(readFileSync(path, 'utf8')).profiles[PROFILE].key
    if (key !== NEW && key !== OLD) return ['the book holds neither the old key nor the new one']
    return isAcknowledged && key !== NEW ? ['an acknowledged save was lost'] : []
  } catch (cause) {
    return [`unreadable: ${cause}`]
  }
}
