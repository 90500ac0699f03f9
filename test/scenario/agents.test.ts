import { afterEach, beforeEach, expect, test } from 'vitest'

import type { Ran, User } from './harness.ts'
import { bookPath, newUser } from './harness.ts'

let user: User

beforeEach(async () => {
  user = await newUser()
})

afterEach(() => user.leave())

const agents = (...args: readonly string[]): Promise<Ran> => user.run(['agents', ...args])

test('an agent uses the profiles of main by reference: no secret is copied into its folder', async () => {
  await user.paste('fake-shared-token-1', 'anthropic:work')
  const added = await agents(
    'add',
    'research',
    '--name',
    'At night',
    '--model',
    'sandbox/sandbox-echo',
  )
  expect(added.out).toContain('0 own, 1 of main')
  await user.run([
    'models',
    'auth',
    'order',
    'set',
    '--provider',
    'anthropic',
    '--agent',
    'research',
    'anthropic:work',
  ])
  await user.run(['agent', '--agent', 'research', '--message', 'hi'])
  const seen = await user.run(['models', 'auth', 'list', '--agent', 'research'])
  expect(seen.out).toMatch(/anthropic:work.*agents\/main\/agent\/auth-profiles\.json/)
  const files = Object.entries(await user.files())
  const holders = files.filter(([, text]) => text.includes('fake-shared-token-1'))
  expect(holders.map(([path]) => path)).toEqual([bookPath()])
})

test('what an agent adds is its own, and main does not see it', async () => {
  await agents('add', 'research')
  await user.paste('fake-own-token-1', 'anthropic:own', '--agent', 'research')
  expect((await user.run(['models', 'auth', 'list'])).out).toBe('No logins\n')
  expect((await agents('list', '--json')).out).toContain('"ownProfiles": 1')
  expect((await user.run(['models', 'status', '--agent', 'research'])).out).toContain(
    'Uses anthropic:own',
  )
})

test('a profile is removed where it lives, not where it is borrowed', async () => {
  await user.paste('fake-shared-token-1', 'anthropic:work')
  await agents('add', 'research')
  const before = await user.files()
  const ran = await user.run([
    'models',
    'auth',
    'remove',
    'anthropic:work',
    '--agent',
    'research',
    '--yes',
  ])
  expect(ran).toMatchObject({ code: 64, out: '' })
  expect(ran.err).toContain('equabot models auth remove anthropic:work --agent main')
  expect(await user.files()).toEqual(before)
})

test('wrong agents are refused, and nothing is changed', async () => {
  await agents('add', 'research')
  const before = await user.files()
  for (const [args, words] of [
    [['add', 'research'], 'There is an agent research already'],
    [['add', 'main'], 'There is an agent main already'],
    [['add', 'two words'], 'cannot serve as agent name'],
    [['add', 'other', '--model', 'nosuch'], 'No known provider serves'],
    [['remove', 'main', '--yes'], 'Agent main cannot be removed'],
    [['remove', 'reserch', '--yes'], 'Did you mean research?'],
    [['remove', 'research'], 'Add --yes'],
  ] as const) {
    const ran = await agents(...args)
    expect(ran, args.join(' ')).toMatchObject({ code: 64, out: '' })
    expect(ran.err).toContain(words)
  }
  expect(await user.files()).toEqual(before)
})

test('removing an agent leaves its profiles on disk and says where', async () => {
  await agents('add', 'research')
  await user.paste('fake-own-token-1', 'anthropic:own', '--agent', 'research')
  const removed = await agents('remove', 'research', '--yes')
  expect(removed.out).toBe(
    'Removed agent research\n1 profile stays in ~/.equabot/agents/research/agent/auth-profiles.json\n',
  )
  expect(await user.read(bookPath('research'))).toContain('fake-own-token-1')
  expect((await agents('list')).out).not.toContain('research')
})
