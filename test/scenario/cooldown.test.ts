import { afterEach, beforeEach, describe, expect, test } from 'vitest'

import type { User } from './harness.ts'
import { newUser } from './harness.ts'

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
    expect(seen.out).toMatch(/sandbox:bad +rests for \d+ s more \(.+; our own guess\)/)

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
