/**
 * Row 6: the answer breaks off at every byte, on each kind of server, in each way that a connection can end.
 *
 * Where the JSON came whole the login is renewed with one send. Where it did not the outcome is ambiguous, and the
 * replay decides: renewed on a server that repeats its answer, and on a strict one called dead by its own word alone,
 * with the loss told. Then the other things that login services do, each with the one verdict that is right.
 */
import { randomFrom, someOf } from '../random.mjs'
import { bundleDriver } from '../bundle.mjs'
import { createFindings, createHome, MEMORY, start } from '../stand.mjs'
import { FAULTS } from '../token-answers.mjs'

export const SIZES = { ci: { cases: 1000 }, full: { cases: Infinity } }
const MODES = ['strict', 'grace', 'idempotent', 'norotate']
const WAYS = ['fin', 'rst', 'stall']
const FRAMINGS = ['length', 'chunked', 'close']
/** What follows the last byte of the JSON. */
const AFTER_JSON = { length: 0, chunked: '\r\n0\r\n\r\n'.length, close: 0 }
const LANES = 2
/** Bytes before its end that are surely not of the headers. */
const SHORTEST_JSON = 100

export async function row6({ cases }, seed, breakage) {
  const findings = createFindings()
  const figures = {
    cases: 0,
    renewed: 0,
    'renewed by a replay': 0,
    'lost by the word of a strict server': 0,
  }
  const script = await bundleDriver('cut-answers', breakage)

  async function onServer(mode) {
    const home = createHome({}, MEMORY)
    const program = start(script, [home.stateDir, mode])
    const renew = async (fault) => {
      program.say(JSON.stringify(fault))
      const line = await program.next()
      if (line === undefined) throw new Error(`the driver ended: ${program.errors()}`)
      return JSON.parse(line)
    }
    await program.next()
    for (const { fault, isWhole, name } of await cutsFor(mode, renew, cases / MODES.length, seed)) {
      const end = await renew(fault)
      figures.cases += 1
      judgeCut(mode, isWhole, end, `${mode}, ${name}`, figures, findings)
    }
    for (const { name, fault, expected } of OTHERS) {
      const end = await renew(fault)
      figures.cases += 1
      judgeOther(mode, expected(mode), end, `${mode}, ${name}`, findings)
    }
    await program.kill()
    home.remove()
  }

  const waiting = [...MODES]
  const lane = async () => {
    for (let mode = waiting.shift(); mode; mode = waiting.shift()) await onServer(mode)
  }
  await Promise.all(Array.from({ length: LANES }, lane))
  return {
    row: 6,
    passed: findings.list().length === 0,
    problems: findings.list(),
    figures: { ...figures, 'wrong verdicts': findings.count('wrong verdict') },
  }
}

/** Every byte of every kind of answer of this server, or so many of them. */
async function cutsFor(mode, renew, limit, seed) {
  const all = []
  for (const framing of FRAMINGS) {
    const { bytes } = await renew({ framing })
    for (let at = 0; at <= bytes; at += 1) {
      for (const how of WAYS) {
        const isWhole = at >= bytes - AFTER_JSON[framing]
        // The caller of a stalled answer without a length cannot know that it was whole; its JSON is.
        const isInJson = at > bytes - AFTER_JSON[framing] - SHORTEST_JSON
        all.push({
          // Servers that repeat an answer may do so for no more than ten seconds.
          fault: { framing, cut: { at, how }, ...(isInJson && { graceMs: 10_000 }) },
          isWhole,
          name: `${framing}, ${how} at byte ${at} of ${bytes}`,
        })
      }
    }
  }
  return someOf(randomFrom(seed, 'row 6', mode), all, limit)
}

function judgeCut(mode, isWhole, end, about, figures, findings) {
  const wrong = (why) => findings.add('wrong verdict', `${about}: ${why}: ${JSON.stringify(end)}`)
  const said = end.verdicts.join(', ')
  if (isWhole) {
    if (said !== 'renewed' || end.sends.length !== 1 || !end.isCurrent)
      return wrong('it had come whole')
    figures.renewed += 1
    return undefined
  }
  if (end.sends.length !== 2) return wrong('not one replay')
  if (mode !== 'strict') {
    if (said !== 'ambiguous, renewed' || !end.isCurrent || !end.alive)
      return wrong('the server repeats its answer')
    figures['renewed by a replay'] += 1
    return undefined
  }
  const isRight = said === 'ambiguous, rejected' && end.isLossTold && end.isUntouched && !end.alive
  if (!isRight) return wrong('the server revoked it')
  figures['lost by the word of a strict server'] += 1
  return undefined
}

const afterReplay = (mode) => (mode === 'strict' ? 'ambiguous, rejected' : 'ambiguous, renewed')
/** What else a login service may do, and the verdicts that follow, by kind of server. */
const OTHERS = [
  { name: 'a delay', fault: FAULTS.delay(50), expected: () => 'renewed' },
  { name: 'drop by drop', fault: FAULTS.drip(40, 1), expected: () => 'renewed' },
  { name: 'no lifetime told', fault: FAULTS.noLifetime(), expected: () => 'renewed' },
  {
    name: 'reset, token not seen',
    fault: FAULTS.resetUnprocessed(),
    expected: () => 'ambiguous, renewed',
  },
  { name: 'reset, token has served', fault: FAULTS.resetProcessed(), expected: afterReplay },
  {
    name: '503, token not seen',
    fault: FAULTS.unavailable(),
    expected: () => 'ambiguous, renewed',
  },
  { name: '502, token has served', fault: FAULTS.failedAfterwards(), expected: afterReplay },
  {
    name: 'an error in a 200',
    fault: FAULTS.errorInSuccess(),
    expected: () => 'ambiguous, renewed',
  },
  {
    name: 'a firewall page in a 200',
    fault: { ...FAULTS.firewall(), status: 200 },
    expected: () => 'ambiguous, renewed',
  },
  {
    name: 'a redirect',
    fault: { status: 302, processed: false, headers: { location: '/elsewhere' }, body: '' },
    expected: () => 'ambiguous, renewed',
  },
  { name: '429', fault: FAULTS.tooMany(), expected: () => 'not_consumed' },
  { name: 'a firewall page', fault: FAULTS.firewall(), expected: () => 'not_consumed' },
  { name: 'an unknown client', fault: FAULTS.invalidClient(), expected: () => 'config' },
  { name: 'another account', fault: FAULTS.otherAccount(), expected: () => 'quarantined' },
  {
    name: 'an empty refresh token',
    fault: FAULTS.emptyRefresh(),
    expected: (mode) => (mode === 'norotate' ? 'renewed' : undefined),
  },
]

/** @param expected verdicts in their order; undefined: this kind of server does no such thing */
function judgeOther(mode, expected, end, about, findings) {
  if (expected === undefined) return
  const said = end.verdicts.join(', ')
  const isRenewed = expected.endsWith('renewed')
  const isKept = expected.endsWith('quarantined') || (isRenewed ? end.isCurrent : end.isUntouched)
  if (said !== expected || !isKept) {
    findings.add('wrong verdict', `${about}: not ${expected}: ${JSON.stringify(end)}`)
  }
}
