/**
 * One that renews the login in a folder: `node child-program.mjs <owner|neighbour> <dir> <server> <rounds> <staleMs>`.
 *
 * The owner keeps the rules of the lock package that Claude Code uses: a lock is a folder, and one that was not touched
 * for `staleMs` is removed and taken. The server is a folder that knows which token it issued last; a token that comes
 * a second time is told.
 */

import { mkdirSync, readFileSync, renameSync, rmdirSync, statSync, writeFileSync } from 'node:fs'
import { realpath } from 'node:fs/promises'
import { join } from 'node:path'
import { createForeignFile } from '../../src/adapters/foreign-file.ts'
import { createOwnerHold } from '../../src/adapters/owner-hold.ts'
import { markOf } from '../../src/domain/grant.ts'
import type { Clock } from '../../src/domain/ports.ts'
import { Secret } from '../../src/domain/secret.ts'
import { parseClaudeLogin } from '../../src/wire/claude-login.ts'

const [, , job, dir = '', server = '', rounds = '0', staleMs = '0'] = process.argv
const path = join(dir, '.credentials.json')
const say = (line: string): void => void process.stdout.write(`${line}\n`)
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

/** The server: each token serves once. */
async function redeem(token: string): Promise<string> {
  const next = `${token.replace(/-\d+$/, '')}-${process.pid}${String(Math.random()).slice(2)}`
  try {
    mkdirSync(join(server, `spent-${token}`))
  } catch {
    say('reused')
    return token
  }
  if (readFileSync(join(server, 'issued'), 'utf8') !== token) say('reused')
  await pause(Math.random() * 8)
  writeFileSync(join(server, 'issued'), next)
  return next
}

async function takeAsOwner(lockPath: string): Promise<void> {
  for (;;) {
    try {
      mkdirSync(lockPath)
      return
    } catch {
      try {
        const age = new Date().getTime() - statSync(lockPath).mtimeMs
        if (age > Number(staleMs)) rmdirSync(lockPath)
      } catch {
        continue
      }
      await pause(Math.random() * 20)
    }
  }
}

async function renewAsOwner(): Promise<void> {
  const locks = [join(dir, '.oauth_refresh.lock'), `${await realpath(dir)}.lock`]
  for (const lock of locks) await takeAsOwner(lock)
  const file = JSON.parse(readFileSync(path, 'utf8'))
  const refreshToken = await redeem(file.claudeAiOauth.refreshToken)
  const writeLock = join(dir, '.storage-write.lock')
  await takeAsOwner(writeLock)
  const claudeAiOauth = { ...file.claudeAiOauth, accessToken: 'fake-of-owner', refreshToken }
  writeFileSync(`${path}.new`, JSON.stringify({ ...file, claudeAiOauth }), { mode: 0o600 })
  renameSync(`${path}.new`, path)
  for (const lock of [writeLock, ...locks.toReversed()]) rmdirSync(lock)
  say('renewed')
}

/** The real time; waits for a lock are cut short, or the test would take minutes. */
const clock: Clock = { now: () => new Date().getTime(), sleep: (ms) => pause(ms / 60) }
const file = createForeignFile({
  origin: 'claude-code',
  place: path,
  parse: parseClaudeLogin,
  clock,
})

async function renewAsNeighbour(): Promise<void> {
  const held = await createOwnerHold({ dir, path, file, clock })
  if (!held.ok) {
    if (held.fault.reason === 'owner_busy') return renewAsNeighbour()
    return say(`trouble ${held.fault.reason} ${held.fault.words}`)
  }
  const owner = held.value
  const refresh = owner.login.refresh ?? new Secret('')
  const reserved = await owner.reserve()
  if (!reserved.ok || !owner.stillHeld()) {
    await owner.release()
    return say('trouble before sending')
  }
  const next = await redeem(refresh.reveal())
  const written = await owner.writeBack(markOf(refresh), {
    type: 'oauth',
    access: new Secret('fake-of-neighbour'),
    refresh: new Secret(next),
    expiresAt: 9,
  })
  await owner.release()
  say(written.ok && written.value ? 'renewed' : 'trouble after sending')
}

for (let round = 0; round < Number(rounds); round += 1) {
  await (job === 'owner' ? renewAsOwner() : renewAsNeighbour())
}
