/**
 * Row 4: writers of the book are killed at random instants while they save.
 *
 * Two writers share one book, each with a profile of its own that counts its saves, and each is killed and replaced on
 * its own. After each kill the book must parse, be for its owner alone, and hold the last save that was acknowledged,
 * or the one after it.
 */
import { readdirSync, readFileSync, statSync, unlinkSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { randomFrom } from '../random.mjs'
import { bundleDriver } from '../bundle.mjs'
import { createFindings, createHome, start } from '../stand.mjs'

export const SIZES = { ci: { kills: 500 }, full: { kills: 10_000 } }
const WRITERS = ['counter:one', 'counter:two']
/** A save takes about this long; kills are spread over a few of them, ms. */
const LONGEST_LIFE_MS = 40

export async function row4({ kills }, seed, breakage) {
  const script = await bundleDriver('book-writer', breakage)
  const home = createHome()
  const findings = createFindings()
  const totals = { kills: 0, saves: 0, unacknowledged: 0, strays: 0 }

  async function writer(profile) {
    const random = randomFrom(seed, 'row 4', profile)
    let known = 0
    while (totals.kills < kills) {
      totals.kills += 1
      const program = start(script, [home.stateDir, profile])
      const first = await program.next()
      if (Number(first) !== known + 1) {
        findings.add(
          'the next save did not go on from the last',
          `${known}, then ${first} ${program.errors()}`,
        )
      }
      await wait(random() * LONGEST_LIFE_MS)
      await program.kill()
      const acknowledged = Math.max(known, Number(first ?? known), ...program.lines.map(Number))
      totals.saves += acknowledged - known
      known = check(home.bookPath, profile, acknowledged, findings)
      totals.unacknowledged += known - acknowledged
      totals.strays += sweep(home.bookPath)
    }
  }

  await Promise.all(WRITERS.map(writer))
  home.remove()
  return {
    row: 4,
    passed: findings.list().length === 0,
    problems: findings.list(),
    figures: {
      ...totals,
      unreadable: findings.count('unreadable'),
      'wrong mode': findings.count('wrong mode'),
      'acknowledged saves lost': findings.count('acknowledged save lost'),
    },
  }
}

/** @returns how many saves of this profile the book holds */
function check(bookPath, profile, acknowledged, findings) {
  const mode = statSync(bookPath).mode & 0o777
  if (mode !== 0o600) findings.add('wrong mode', mode.toString(8))
  const text = readFileSync(bookPath, 'utf8')
  let value
  try {
    value = Number(JSON.parse(text).profiles[profile].key)
  } catch (cause) {
    findings.add('unreadable', `${cause} in ${text.length} bytes`)
    return acknowledged
  }
  const detail = `${value} in the book, ${acknowledged} acknowledged`
  if (value < acknowledged) findings.add('acknowledged save lost', detail)
  if (value > acknowledged + 1) findings.add('a save from nowhere', detail)
  return value
}

/** Removes what killed writers left behind, which the program does after an hour. Never the other writer's newest. */
function sweep(bookPath) {
  const folder = dirname(bookPath)
  const strays = readdirSync(folder).filter((name) => name.endsWith('.tmp'))
  const old = strays.filter((name) => isOld(join(folder, name)))
  for (const name of old) unlinkSync(join(folder, name))
  return old.length
}

function isOld(path) {
  const facts = statSync(path, { throwIfNoEntry: false })
  return facts !== undefined && Date.now() - facts.mtimeMs > 2000
}
