import { afterEach, beforeEach, describe, expect, test } from 'vitest'

import type { Gateway, Running, User } from './harness.ts'
import { newUser } from './harness.ts'

let user: User

beforeEach(async () => {
  user = await newUser()
})

afterEach(() => user.leave())

const HOUR_MS = 3_600_000

/** Pins a session, which is an event of its own. */
async function pin(session: string): Promise<void> {
  const input = '/model sandbox/sandbox-echo@sandbox:builtin\n'
  expect((await user.run(['chat', '--session', session], { input })).code).toBe(0)
}

/** The events that were printed as lines of JSON. */
function told({ printed }: Running): readonly Record<string, unknown>[] {
  return printed.out
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>)
}

function streamed(text: string): readonly { id: string; kind: string }[] {
  return [...text.matchAll(/^id: (\S+)\nevent: (\S+)$/gm)].map(([, id = '', kind = '']) => ({
    id,
    kind,
  }))
}

async function kept(gateway: Gateway, since: string): Promise<ReturnType<typeof streamed>> {
  return streamed(await (await gateway.call(`/api/events?since=${since}&follow=no`)).text())
}

describe('events', () => {
  test('without a gateway exits 69 and says how to start one', async () => {
    for (const args of [['events'], ['events', '--follow'], ['events', '--json']]) {
      const ran = await user.run(args)
      expect(ran.code, args.join(' ')).toBe(69)
      expect(ran.out + ran.err).toContain('equabot gateway run')
    }
  })

  test('lists what has happened, for people and for programs, and where to go on', async () => {
    await user.startGateway()
    expect((await user.run(['events'])).out).toMatch(/^Nothing has happened/)
    await pin('monday')
    const text = await user.run(['events'])
    expect(text).toMatchObject({ code: 0, err: '' })
    expect(text.out).toMatch(
      /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d  session\.pinned  session monday of agent main is pinned to sandbox:builtin, by your word\n$/,
    )
    const { last } = JSON.parse((await user.run(['events', '--json'])).out) as { last: string }
    await pin('tuesday')
    const { events } = JSON.parse((await user.run(['events', '--json', '--since', last])).out) as {
      events: unknown[]
    }
    expect(events).toMatchObject([{ kind: 'session.pinned', session: 'tuesday', seq: 2 }])
  })

  test('stand in the log of the gateway, one line each', async () => {
    const gateway = await user.startGateway()
    await pin('monday')
    await gateway.until(/"event":"session\.pinned".*"session":"monday"/)
    expect(await user.read('.equabot/logs/equabot.log')).toContain('"event":"session.pinned"')
  })

  test('a token that ends soon is told once by the keeper, without its secret', async () => {
    const expires = Date.now() + 2 * HOUR_MS
    await user.writeBook({
      version: 1,
      profiles: {
        'anthropic:work': {
          type: 'token',
          provider: 'anthropic',
          token: 'fake-secret-token-1',
          expires,
        },
      },
    })
    await user.startGateway()
    const following = user.start(['events', '--follow', '--since', '0', '--json'])
    await following.until(/credential\.expiring/)
    const ran = await following.stop('SIGINT')
    expect(ran.code).toBe(0)
    expect(told(following)).toMatchObject([
      { kind: 'credential.expiring', level: 'warn', profile: 'anthropic:work', at: expires },
    ])
    expect(ran.out + ran.err).not.toContain('fake-secret')
  })
})

describe('events --follow', () => {
  test('tells that a gateway was killed, and goes on with the next one, which says that something is lost', async () => {
    const gateway = await user.startGateway()
    const following = user.start(['events', '--follow', '--json'])
    await following.until(/Following the gateway/)
    await pin('monday')
    await following.until(/"session":"monday"/)
    await gateway.stop('SIGKILL')
    await following.until(new RegExp(`The gateway \\(pid ${gateway.process.pid}\\) has gone`))

    const next = await user.startGateway()
    await following.until(new RegExp(`Following the gateway at ${next.url}`))
    await pin('tuesday')
    await following.until(/"session":"tuesday"/)
    await following.stop('SIGINT')
    expect(told(following).map(({ kind }) => kind)).toEqual([
      'session.pinned',
      'events.lost',
      'session.pinned',
    ])
  })

  test('does not hold up a gateway that stops', async () => {
    const gateway = await user.startGateway()
    const following = user.start(['events', '--follow'])
    await following.until(/Following the gateway/)
    const before = Date.now()
    expect(await gateway.stop()).toMatchObject({ code: 0 })
    // Far less than the time for which it waits for replies.
    expect(Date.now() - before).toBeLessThan(8_000)
    await following.until(/has gone/)
  })
})

describe('GET /api/events', () => {
  test('resumes where a reader was', async () => {
    const gateway = await user.startGateway()
    for (const session of ['one', 'two', 'three']) await pin(session)
    const all = await kept(gateway, '0')
    expect(all.map(({ kind }) => kind)).toEqual(['events.open', ...Array(3).fill('session.pinned')])
    expect((await kept(gateway, all[2]?.id ?? '')).map(({ id }) => id)).toEqual([
      all[2]?.id,
      all[3]?.id,
    ])
    await gateway.stop()
    const next = await user.startGateway()
    const headers = { 'last-event-id': all[3]?.id ?? '' }
    const text = await (await next.call('/api/events?follow=no', { headers })).text()
    expect(streamed(text).map(({ kind }) => kind)).toEqual(['events.open', 'events.lost'])
  })
})
