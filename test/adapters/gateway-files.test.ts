import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { createClock } from '../../src/adapters/clock.ts'
import { createGatewayFiles } from '../../src/adapters/gateway-files.ts'
import { createFiles } from '../../src/adapters/files.ts'
import { openHome } from '../../src/adapters/home.ts'
import { createLocks } from '../../src/adapters/lock.ts'
import type { Clock, GatewayRecord } from '../../src/domain/ports.ts'
import { orThrow } from '../../src/domain/equabot-error.ts'
import { fail, ok } from '../../src/domain/result.ts'
import { temporaryFolder } from './temporary-folder.ts'

const hastyClock: Clock = {
  now: () => 0,
  sleep: () => new Promise((resolve) => setImmediate(resolve)),
}
const RECORD: GatewayRecord = {
  pid: 4242,
  port: 18_789,
  bind: '127.0.0.1',
  startedAt: 1_800_000_000_000,
  version: '0.1.0',
}

/** One process's view of a state folder. */
function open(stateDir: string, variables: Record<string, string> = {}, clock: Clock = hastyClock) {
  const home = orThrow(openHome({ EQUABOT_STATE_DIR: stateDir, ...variables }))
  const locks = createLocks({ clock, dir: home.locksDir })
  const gateway = createGatewayFiles({ home, locks, files: createFiles(), clock })
  return { home, gateway }
}

describe('the token of the gateway', () => {
  it('is made once, with 256 random bits, for its owner’s eyes only', async () => {
    const stateDir = temporaryFolder()
    const { gateway, home } = open(stateDir)
    const tokens = await Promise.all(
      // Whoever waits for the lock waits for real work of the disk.
      Array.from({ length: 5 }, async () =>
        orThrow(await open(stateDir, {}, createClock()).gateway.token()).reveal(),
      ),
    )
    expect(new Set(tokens).size).toBe(1)
    expect(tokens[0]).toMatch(/^eqb_[A-Za-z0-9_-]{43}$/)
    expect(gateway.tokenSource()).toEqual({ kind: 'file', path: home.gatewayTokenPath })
    expect(readFileSync(home.gatewayTokenPath, 'utf8')).toBe(`${tokens[0]}\n`)
    expect(statSync(home.gatewayTokenPath).mode & 0o777).toBe(0o600)
  })

  it('is the one of the environment where there is one, and then no file is made', async () => {
    const { gateway, home } = open(temporaryFolder(), { EQUABOT_GATEWAY_TOKEN: 'made-up-token' })
    expect(orThrow(await gateway.token()).reveal()).toBe('made-up-token')
    expect(gateway.tokenSource()).toEqual({ kind: 'variable', name: 'EQUABOT_GATEWAY_TOKEN' })
    expect(existsSync(home.gatewayTokenPath)).toBe(false)
  })

  it('may be chosen by the user, and an empty file is no token', async () => {
    const { gateway, home } = open(temporaryFolder())
    writeFileSync(home.gatewayTokenPath, ' made-up-token \r\n')
    expect(orThrow(await gateway.token()).reveal()).toBe('made-up-token')
    writeFileSync(home.gatewayTokenPath, '\n')
    expect(await gateway.token()).toMatchObject({ ok: false, fault: { code: 'EQ_STORE_FIELD' } })
  })
})

describe('the claim of a gateway', () => {
  it('belongs to one, who tells the others where it is', async () => {
    const stateDir = temporaryFolder()
    const [first, second] = [open(stateDir).gateway, open(stateDir).gateway]
    expect(await second.running()).toBeUndefined()
    const claim = orThrow(await first.claim())
    expect(await claim.publish(RECORD)).toEqual(ok())
    expect([await first.running(), await second.running()]).toEqual([RECORD, RECORD])
    expect(await second.claim()).toEqual(
      fail({ code: 'EQ_GATEWAY_RUNNING', pid: RECORD.pid, port: RECORD.port }),
    )
    await claim.release()
    expect(await second.running()).toBeUndefined()
    expect((await second.claim()).ok).toBe(true)
  })

  it('is not kept by the note of a gateway that was killed', async () => {
    const { gateway, home } = open(temporaryFolder())
    writeFileSync(home.gatewayRecordPath, JSON.stringify(RECORD))
    expect(await gateway.running()).toBeUndefined()
    orThrow(await gateway.claim())
    expect(existsSync(home.gatewayRecordPath)).toBe(false)
    expect(await gateway.running()).toBeUndefined()
  })

  it('is refused also while its holder has not said yet where it listens', async () => {
    const stateDir = temporaryFolder()
    orThrow(await open(stateDir).gateway.claim())
    expect(await open(stateDir).gateway.claim()).toEqual(
      fail({ code: 'EQ_GATEWAY_RUNNING', pid: 0, port: 0 }),
    )
  })

  it('is not disturbed by those who look whether there is a gateway', async () => {
    const stateDir = temporaryFolder()
    const looking = Array.from({ length: 20 }, () => open(stateDir).gateway.running())
    const claimed = await open(stateDir).gateway.claim()
    await Promise.all(looking)
    expect(claimed.ok).toBe(true)
  })
})
