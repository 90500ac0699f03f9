import { afterEach, beforeEach, expect, test } from 'vitest'

import type { Ran, User } from './harness.ts'
import { newUser } from './harness.ts'

let user: User

beforeEach(async () => {
  user = await newUser()
})

afterEach(() => user.leave())

const sessions = (...args: readonly string[]): Promise<Ran> => user.run(['sessions', ...args])

test('a conversation is listed, read again and deleted', async () => {
  expect((await sessions('list')).out).toBe('Agent main has no sessions yet\n')
  await user.run(['agent', '--message', 'good morning'])
  await user.run(['agent', '--message', 'and again'])
  await user.run(['agent', '--session', 'monday', '--message', 'the other one'])

  expect((await sessions('list')).out).toMatch(/main +2 turns .*good morning\n|monday +1 turn /)
  expect(JSON.parse((await sessions('list', '--json')).out)).toMatchObject({
    agent: 'main',
    sessions: [
      { id: 'monday', turns: 1 },
      { id: 'main', turns: 2, title: 'good morning' },
    ],
  })
  const shown = await sessions('show', 'main')
  expect(shown.out).toMatch(
    /you ·.*\ngood morning\n\nsandbox\/sandbox-echo by sandbox:builtin ·.*\n.*good morning/,
  )
  expect(JSON.parse((await sessions('show', 'monday', '--json')).out)).toMatchObject({
    id: 'monday',
    transcript: [{ role: 'user', text: 'the other one' }, { role: 'assistant' }],
  })
  expect((await sessions('delete', 'monday', '--yes')).out).toBe(
    'Deleted session monday of agent main\n',
  )
  expect((await sessions('list')).out).not.toContain('monday')
  expect(Object.keys(await user.files()).filter((path) => path.includes('monday'))).toEqual([])
})

test('an unknown session is refused with the nearest, and deleting without a terminal asks for --yes', async () => {
  await user.run(['agent', '--session', 'monday', '--message', 'hello'])
  const before = await user.files()
  for (const verb of ['show', 'delete']) {
    const ran = await sessions(verb, 'mondy')
    expect(ran).toMatchObject({ code: 64, out: '' })
    expect(ran.err).toContain('Did you mean monday?')
  }
  const unsure = await sessions('delete', 'monday')
  expect(unsure).toMatchObject({ code: 64, out: '' })
  expect(unsure.err).toContain('Add --yes')
  expect((await sessions('list', '--agent', 'nobody')).code).toBe(64)
  expect(await user.files()).toEqual(before)
})

test('a session that cannot be read is named and left as it is; others go on', async () => {
  await user.run(['agent', '--message', 'hello'])
  await user.write('.equabot/agents/main/sessions/main.json', 'junk')
  const before = await user.files()
  const ran = await user.run(['agent', '--message', 'hello'])
  expect(ran).toMatchObject({ code: 65, out: '' })
  expect(ran.err).toMatch(/sessions\/main\.json is not valid JSON: line 1, column 1/)
  expect(await user.files()).toEqual(before)
  expect((await user.run(['agent', '--session', 'other', '--message', 'hello'])).code).toBe(0)
})
