import { afterEach, beforeEach, describe, expect, test } from 'vitest'

import type { User } from './harness.ts'
import { anthropicError, anthropicStream, fakeUpstream, newUser } from './harness.ts'

let user: User

beforeEach(async () => {
  user = await newUser()
})

afterEach(() => user.leave())

const COOLDOWN = ['models', 'auth', 'cooldown'] as const
const ASK = ['agent', '--agent', 'main', '--message', 'Hello', '--model'] as const

describe('models auth cooldown', () => {
  test('lists what rests, clears it, and the next request uses it again', async () => {
    await user.paste('sandbox-401', 'sandbox:bad', '--type', 'api_key')
    await user.run([...ASK, 'sandbox/sandbox-echo@sandbox:bad'])
    const listed = await user.run([...COOLDOWN, 'list', '--json'])
    expect(JSON.parse(listed.out)).toMatchObject({
      agent: 'main',
      resting: [
        { provider: 'sandbox', scope: 'profile', profiles: ['sandbox:bad'], reason: 'auth' },
      ],
    })
    const seen = await user.run([...COOLDOWN, 'list', '--provider', 'sandbox'])
    expect(seen.out).toMatch(/sandbox:bad +rests for \d+ (?:s|min) more \(.+; our own guess\)/)

    const cleared = await user.run([...COOLDOWN, 'clear', 'sandbox:bad'])
    expect(cleared).toMatchObject({ code: 0, err: '' })
    expect(cleared.out).toContain('sandbox:bad')
    expect((await user.run([...COOLDOWN, 'list'])).out).toBe('Nothing rests\n')
    const again = await user.run([...COOLDOWN, 'clear', '--all'])
    expect(again).toMatchObject({ code: 0, out: 'Nothing rested, so nothing was cleared\n' })
  })

  test('clear wants exactly one thing to clear', async () => {
    for (const wrong of [[], ['sandbox:bad', '--all'], ['--all', '--provider', 'sandbox']]) {
      const ran = await user.run([...COOLDOWN, 'clear', ...wrong])
      expect(ran.code).toBe(64)
      expect(ran.err).toContain('Name one profile, or --provider <id>, or --all')
    }
  })
})

describe('models status', () => {
  test('tells limits as the last answers told them, and a forbidden model, after a restart too', async () => {
    const unified = 'anthropic-ratelimit-unified-5h'
    const upstream = await fakeUpstream((request, response) => {
      const forbidden = request.body.includes('claude-opus')
      const resetsAt = Math.floor(Date.now() / 1_000) + 2 * 3_600 + 60
      response.writeHead(forbidden ? 403 : 200, {
        'content-type': forbidden ? 'application/json' : 'text/event-stream',
        [`${unified}-status`]: 'allowed',
        [`${unified}-utilization`]: '0.43',
        [`${unified}-reset`]: String(resetsAt),
      })
      response.end(
        forbidden
          ? anthropicError('permission_error', 'Your key may not use this model')
          : anthropicStream('hello'),
      )
    })
    try {
      const providers = `{ anthropic: { baseUrl: "${upstream.url}" } }`
      await user.write('.equabot/equabot.json', `{ models: { providers: ${providers} } }`)
      await user.paste('fake-key-of-somebody-1', 'anthropic:work', '--type', 'api_key')
      await user.run([...ASK, 'anthropic/claude-haiku-4-5'])
      await user.run([...ASK, 'anthropic/claude-opus-4-5'])
      const { out } = await user.run(['models', 'status'])
      const words = out.replaceAll(/\s+/g, ' ')
      expect(words).toMatch(/5 h window: 43 % used, resets in 2 h, seen (?:now|\d+ s ago)/)
      expect(words).toMatch(/anthropic\/claude-opus-4-5 rests for 10 min more \(.+this model only/)
      const status: unknown = JSON.parse((await user.run(['models', 'status', '--json'])).out)
      expect(JSON.stringify(status)).toContain('"name":"5h","used":0.43,"status":"allowed"')
      const listed = await user.run([...COOLDOWN, 'list'])
      expect(listed.out).toMatch(/anthropic\/claude-opus-4-5 of anthropic:work +rests for/)
    } finally {
      await upstream.close()
    }
  })
})
