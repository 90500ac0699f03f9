/**
 * Makes every file operation of a series of saves fail, once and from then on, and says what is on the disk afterwards.
 *
 * `node store-faults.mjs <folder>`: one line of JSON for each run. The saves go through the real store of books; the
 * checks read the disk with a file system that does not fail.
 */

import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { createClock } from '../../src/adapters/clock.ts'
import { createFiles, previousPathOf } from '../../src/adapters/files.ts'
import { openHome } from '../../src/adapters/home.ts'
import { createLocks } from '../../src/adapters/lock.ts'
import { createProfileStore } from '../../src/adapters/profile-store.ts'
import { orThrow } from '../../src/domain/equabot-error.ts'
import type { ProfileId } from '../../src/domain/names.ts'
import { MAIN_AGENT, parseProfileId } from '../../src/domain/names.ts'
import type { ProfileStore } from '../../src/domain/ports.ts'
import { withoutProfile, withProfile } from '../../src/domain/profile.ts'
import { ok } from '../../src/domain/result.ts'
import { Secret } from '../../src/domain/secret.ts'
import { parseProfileFile } from '../../src/wire/profile-file.ts'
import type { Trouble } from './failing-system.ts'
import { failing } from './failing-system.ts'

const clock = createClock()
const COUNTER = named('counter:default')
const BYSTANDER = named('bystander:default')

function named(text: string): ProfileId {
  const id = parseProfileId(text)
  if (!id) throw new Error(`no profile: ${text}`)
  return id
}

/** What stood in the book before. Unknown members must survive as well. */
const OLD_BOOK = JSON.stringify({
  version: 1,
  made_by: 'somebody else',
  profiles: {
    [COUNTER]: { type: 'api_key', provider: 'counter', key: '0', note: 'kept' },
    [BYSTANDER]: { type: 'api_key', provider: 'bystander', key: 'untouched' },
  },
})

type Start = 'no book' | 'a book'
type Change = 'save' | 'remove'

async function once(folder: string, start: Start, change: Change, trouble: Trouble) {
  const home = orThrow(openHome({ EQUABOT_STATE_DIR: folder }))
  const path = home.bookPath(MAIN_AGENT)
  if (start === 'a book') {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
    writeFileSync(path, OLD_BOOK, { mode: 0o600 })
  }
  const locks = createLocks({ clock, dir: home.locksDir })
  const { system, failed } = failing(trouble)
  const store = createProfileStore({ home, locks, files: createFiles(system), clock })

  let acknowledged = start === 'a book' ? 0 : -1
  const said: string[] = []
  for (const value of [1, 2, 3]) {
    const saved = change === 'save' ? await save(store, value) : await remove(store, value)
    if (saved.ok) acknowledged = value
    said.push(saved.ok ? 'saved' : saved.fault.code)
  }
  const problems = check(path, start, change, acknowledged)
  const well = createProfileStore({ home, locks, files: createFiles(), clock })
  const next = await save(well, 4)
  if (!next.ok) problems.push(`no save once the disk is well: ${next.fault.code}`)
  else problems.push(...check(path, start, 'save', 4))
  return { ...trouble, start, change, failed: failed(), said, problems }
}

function save(store: ProfileStore, value: number) {
  return store.transact<void, never>(MAIN_AGENT, async (book) => {
    const credential = { type: 'api_key' as const, key: new Secret(String(value)) }
    const profile = { id: COUNTER, credential, origin: 'equabot' as const }
    return ok({ book: withProfile(book, profile), value: undefined })
  })
}

/** The second save takes the profile away and the others put it back. */
function remove(store: ProfileStore, value: number) {
  if (value !== 2) return save(store, value)
  return store.transact<void, never>(MAIN_AGENT, async (book) =>
    ok({ book: withoutProfile(book, COUNTER), value: undefined }),
  )
}

/** What is wrong on the disk, given the last save that was acknowledged (-1: none, and there was no book). */
function check(path: string, start: Start, change: Change, acknowledged: number): string[] {
  const facts = statSync(path, { throwIfNoEntry: false })
  if (!facts) return acknowledged < 0 ? [] : [`no book, and ${acknowledged} was acknowledged`]
  const problems: string[] = []
  const mode = (facts.mode & 0o777).toString(8)
  if (mode !== '600') problems.push(`mode ${mode}`)
  for (const file of [path, previousPathOf(path)]) {
    if (!statSync(file, { throwIfNoEntry: false })) continue
    const parsed = parseProfileFile(readFileSync(file, 'utf8'))
    if (!parsed.ok) problems.push(`${file.slice(path.length)} unreadable: ${parsed.fault.code}`)
  }
  const text = readFileSync(path, 'utf8')
  const parsed = parseProfileFile(text)
  if (!parsed.ok) return problems
  const { profiles } = parsed.value.book
  const counter = profiles.get(COUNTER)?.credential
  const value = counter?.type === 'api_key' ? Number(counter.key.reveal()) : undefined
  const isRemoved = change === 'remove' && value === undefined && acknowledged <= 2
  if (!isRemoved && (value ?? -1) < acknowledged) {
    problems.push(`${value} in the book, ${acknowledged} acknowledged`)
  }
  if (start === 'a book') {
    if (!profiles.has(BYSTANDER)) problems.push('another profile is gone')
    if (!text.includes('somebody else')) problems.push('an unknown member is gone')
  }
  return problems
}

const folder = process.argv[2] ?? ''
for (const start of ['no book', 'a book'] as const) {
  for (const change of ['save', 'remove'] as const) {
    for (const errno of ['EIO', 'ENOSPC', 'EACCES']) {
      for (const isLasting of [false, true]) {
        for (let nth = 0; ; nth += 1) {
          const name = `${start}-${change}-${errno}-${isLasting}-${nth}`.replaceAll(' ', '-')
          const end = await once(join(folder, name), start, change, { errno, nth, isLasting })
          if (end.failed === 0) break
          process.stdout.write(`${JSON.stringify(end)}\n`)
        }
      }
    }
  }
}
