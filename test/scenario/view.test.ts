import { afterEach, beforeEach, describe, expect, test } from 'vitest'

import type { User } from './harness.ts'
import { newUser } from './harness.ts'

let user: User

beforeEach(async () => {
  user = await newUser()
})

afterEach(() => user.leave())

const KEY = { ANTHROPIC_API_KEY: 'fake-key-of-the-gateway-alone' }
const OTHER_KEY = { ANTHROPIC_API_KEY: 'fake-key-of-this-shell-alone' }
const STATUS = ['models', 'status'] as const
const EXPLAIN = ['models', 'auth', 'explain'] as const

describe('a gateway with a key that the shell lacks', () => {
  test('gives status and explain its own view, and the difference is said in one line', async () => {
    const gateway = await user.startGateway({ variables: KEY })
    for (const command of [STATUS, EXPLAIN]) {
      const ran = await user.run(command)
      expect(ran).toMatchObject({ code: 0, err: '' })
      const [line = ''] = ran.out.split('\n')
      expect(line).toContain(`View of the gateway at ${gateway.url} (pid ${gateway.process.pid})`)
      expect(line).toContain('ANTHROPIC_API_KEY is set for the gateway alone')
      expect(ran.out).toContain('ANTHROPIC_API_KEY from the environment of the gateway')
      const json = await user.run([...command, '--json'])
      expect(JSON.parse(json.out)).toMatchObject({
        view: 'gateway',
        gateway: { url: gateway.url, pid: gateway.process.pid },
        model: expect.stringMatching(/^anthropic\//),
        differences: [{ what: 'model' }, { what: 'variable', name: 'ANTHROPIC_API_KEY' }],
      })
      expect(ran.out + json.out).not.toContain(KEY.ANTHROPIC_API_KEY)
    }
    expect((await user.run([...STATUS, '--plain'])).out).toMatch(/^anthropic\/\S+\n$/)
  })

  test('is what chat meets, and --view own is not', async () => {
    await user.startGateway({ variables: KEY })
    const chat = await user.run(['chat'], { input: '/model status\n' })
    expect(chat.out).toMatch(/next +anthropic:env/)
    const own = await user.run([...STATUS, '--view', 'own'])
    expect(own.out).toMatch(/^View of this shell\n\nDefault model +sandbox\//)
  })

  test('is not asked by --check, which judges this shell', async () => {
    await user.startGateway({ variables: KEY })
    expect((await user.run([...STATUS, '--check'])).code).toBe(1)
    expect((await user.run([...STATUS, '--check', '--view', 'gateway'])).code).toBe(64)
    expect((await user.run([...STATUS, '--check'], { variables: OTHER_KEY })).code).toBe(0)
  })
})

test('a value that differs, and a key that this shell alone has, are told apart', async () => {
  await user.startGateway({ variables: KEY })
  const variables = { ...OTHER_KEY, GROQ_API_KEY: 'fake-key-of-groq-number-1' }
  const { out } = await user.run(STATUS, { variables })
  expect(out).toContain('ANTHROPIC_API_KEY has another value here')
  expect(out).toContain('GROQ_API_KEY is set here alone')
  expect(out).not.toContain('Uses groq:env')
})

test('the same environment costs no line', async () => {
  await user.startGateway({ variables: KEY })
  const { out } = await user.run(STATUS, { variables: KEY })
  expect(out).toMatch(/^Default model/)
})

test('a gateway that does not answer costs half a second, and is said', async () => {
  const gateway = await user.startGateway({ variables: KEY })
  gateway.process.kill('SIGSTOP')
  const before = Date.now()
  const ran = await user.run(STATUS)
  const tookMs = Date.now() - before
  const asked = await user.run([...STATUS, '--view', 'gateway'])
  gateway.process.kill('SIGCONT')
  expect(ran.code).toBe(0)
  expect(ran.out).toMatch(
    /^View of this shell, which may differ from the gateway's: .*does not answer/,
  )
  expect(tookMs).toBeLessThan(5_000)
  expect(asked).toMatchObject({ code: 69, out: '' })
})

test('a gateway that was killed leaves the own view, without a word', async () => {
  const gateway = await user.startGateway({ variables: KEY })
  await gateway.stop('SIGKILL')
  expect((await user.run(STATUS)).out).toMatch(/^Default model +sandbox\//)
  const asked = await user.run([...EXPLAIN, '--view', 'gateway'])
  expect(asked.code).toBe(69)
  expect(asked.err).toContain('equabot gateway run')
})
