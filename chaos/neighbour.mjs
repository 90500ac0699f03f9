/**
 * A simulated Claude Code: the other program that renews the login in `.credentials.json`, and follows its own rules.
 *
 * `node neighbour.mjs <config folder> <token address>` says `ready`, and answers each line, the time, ms, that it holds
 * its locks before it looks, with what it did: `fresh`, `renewed`, `logged out`, `busy`. Locks are folders that are
 * touched every 5 s and may be taken when nobody has touched them for 60 s (15 s for the one that guards writing). It
 * reads again inside them, renews from 5 minutes before the end on, and writes by a temporary file and a rename,
 * keeping what it does not know. A login that is refused it blanks.
 */
import {
  mkdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmdirSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as wait } from 'node:timers/promises'

const [, , folder, tokenUrl] = process.argv
const FILE = join(folder, '.credentials.json')
const AHEAD_MS = 5 * 60_000
const TOUCH_MS = 5000
const RENEWAL_STALE_MS = 60_000
const WRITE_STALE_MS = 15_000
const TRIES = 5

async function take(path, staleMs) {
  for (let tried = 1; ; tried += 1) {
    try {
      mkdirSync(path)
      const touch = setInterval(() => utimesSync(path, new Date(), new Date()), TOUCH_MS)
      return () => {
        clearInterval(touch)
        rmdirSync(path)
      }
    } catch (cause) {
      if (cause.code !== 'EEXIST') throw cause
    }
    const facts = statSync(path, { throwIfNoEntry: false })
    if (facts && Date.now() - facts.mtimeMs > staleMs) rmdirSync(path)
    else if (tried === TRIES) return undefined
    else await wait(1000 + Math.random() * 1000)
  }
}

/** Whoever waits for these locks in vain gives up: `busy`. */
async function holding(paths, staleMs, run) {
  const [path, ...rest] = paths
  if (path === undefined) return run()
  const release = await take(path, staleMs)
  if (!release) return 'busy'
  try {
    return await holding(rest, staleMs, run)
  } finally {
    release()
  }
}

const read = () => JSON.parse(readFileSync(FILE, 'utf8'))
const isFresh = ({ claudeAiOauth: login }) => Date.now() + AHEAD_MS < login.expiresAt

async function renew(holdMs) {
  if (isFresh(read())) return 'fresh'
  const locks = [join(folder, '.oauth_refresh.lock'), `${realpathSync(folder)}.lock`]
  return holding(locks, RENEWAL_STALE_MS, async () => {
    await wait(holdMs)
    const before = read()
    if (isFresh(before)) return 'fresh'
    const answer = await fetch(tokenUrl, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        grant_type: 'refresh_token',
        refresh_token: before.claudeAiOauth.refreshToken,
        client_id: 'claude-code-simulated',
      }),
    })
    const tokens = await answer.json()
    if (answer.ok) {
      return store({
        accessToken: tokens.access_token,
        refreshToken: tokens.refresh_token,
        expiresAt: Date.now() + tokens.expires_in * 1000,
      })
    }
    await store({ accessToken: '', refreshToken: '', expiresAt: 0 })
    return 'logged out'
  })
}

function store(tokens) {
  return holding([join(folder, '.storage-write.lock')], WRITE_STALE_MS, async () => {
    const now = read()
    const next = { ...now, claudeAiOauth: { ...now.claudeAiOauth, ...tokens } }
    const temporary = `${FILE}.${process.pid}.tmp`
    writeFileSync(temporary, JSON.stringify(next), { mode: 0o600 })
    renameSync(temporary, FILE)
    return 'renewed'
  })
}

console.log('ready')
for await (const line of createInterface({ input: process.stdin })) {
  console.log(await renew(Number(line)).catch((cause) => `failed: ${cause.stack}`))
}
