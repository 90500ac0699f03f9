import { describe, expect, test } from 'vitest'
import { MAIN_AGENT } from '../../src/domain/names.ts'
import type { SessionHead } from '../../src/domain/ports.ts'
import type { StatusReport } from '../../src/domain/report.ts'
import { orThrow } from '../../src/domain/equabot-error.ts'
import { Secret } from '../../src/domain/secret.ts'
import { HOUR_MS } from '../../src/domain/time.ts'
import { aBook, anAnswer, aProfile, FAKE_NOW } from '../../src/testing.ts'
import { agent, profile, provider, session } from '../names-from.ts'
import type { Furnishing } from './house.ts'
import { encode, house, outcome } from './house.ts'

const UNREADABLE = { code: 'EQ_STORE_UNREADABLE', path: '/book', errno: 'EACCES' } as const
const soon = aProfile('anthropic:soon', {
  credential: { type: 'token', token: new Secret('fake-soon'), expiresAt: FAKE_NOW + 2 * HOUR_MS },
})
const old = aProfile('anthropic:old', {
  credential: { type: 'token', token: new Secret('fake-old'), expiresAt: FAKE_NOW - HOUR_MS },
})
const head = (more: Partial<SessionHead> = {}): SessionHead => ({
  id: session('main'),
  agent: MAIN_AGENT,
  createdAt: FAKE_NOW,
  updatedAt: FAKE_NOW,
  turns: 0,
  ...more,
})
const status = async (furnishing: Furnishing): Promise<StatusReport> =>
  orThrow(await house(furnishing).report.status({}))

describe('models status', () => {
  test('names the credential that serves, and why each other one does not', async () => {
    const report = await status({ books: { main: aBook(old, aProfile('anthropic:good')) } })
    const [anthropic] = report.providers
    expect(anthropic?.effective).toMatchObject({ profile: 'anthropic:good', place: 1 })
    expect(anthropic?.candidates.map(({ profile: id, place }) => [id, place])).toEqual([
      ['anthropic:good', 1],
      ['anthropic:old', undefined],
    ])
    expect(report.check.exit).toBe(1)
  })

  test('exits 2 for a token that ends in two hours', async () => {
    const report = await status({ books: { main: aBook(soon) } })
    expect(report.check).toMatchObject({ exit: 2, findings: [{ problem: 'expiring' }] })
  })

  test('says that a credential is missing where only the sandbox serves', async () => {
    const report = await status({})
    expect(report.chain).toMatchObject({ value: { chosenBy: 'sandbox' } })
    expect(report.check.exit).toBe(1)
    expect(report.missing).toEqual([{ provider: 'sandbox', variables: [] }])
    expect(report.providers).toMatchObject([{ provider: 'sandbox', inUse: true }])
  })

  test('names the variables of a provider in use without a credential', async () => {
    const report = await status({ config: { agents: { defaults: { model: 'openai/gpt-test' } } } })
    expect(report.missing).toEqual([{ provider: 'openai', variables: ['OPENAI_API_KEY'] }])
    expect(report.check.exit).toBe(1)
  })

  test('judges every agent’s models, and only the named agent’s when one is named', async () => {
    const at = house({
      config: { agents: { list: [{ id: 'work', model: 'openai/gpt-test' }] } },
      books: { main: aBook(aProfile('anthropic:a')) },
    })
    expect(orThrow(await at.report.status({})).check.exit).toBe(1)
    expect(orThrow(await at.report.status({ agent: MAIN_AGENT })).check.exit).toBe(0)
    expect(orThrow(await at.report.status({ agent: agent('work') })).check.exit).toBe(1)
  })

  test('of logins that are well and rest needs nobody, and says that nobody can serve', async () => {
    const at = house({
      books: { main: aBook(aProfile('anthropic:a')) },
      upstream: () => anAnswer(429, { 'retry-after': '600' }),
    })
    await at.dispatch({
      world: orThrow(await at.loadWorld(MAIN_AGENT)),
      models: [{ provider: provider('anthropic'), model: 'claude-test' }],
      encode,
      signal: new AbortController().signal,
    })
    const { check } = orThrow(await at.report.status({}))
    expect(check).toMatchObject({
      exit: 0,
      findings: [],
      unserved: [{ problem: 'resting', candidate: { id: 'anthropic:a' } }],
    })
    expect(orThrow(await at.report.status({ serving: true })).check).toMatchObject({ exit: 1 })
    expect(orThrow(await at.report.status({ serving: true })).check).not.toHaveProperty('unserved')
  })

  test('of the only login, which rests by our own guess, is doubted too', async () => {
    const at = house({
      books: { main: aBook(aProfile('anthropic:a')) },
      upstream: () => anAnswer(402),
    })
    await at.dispatch({
      world: orThrow(await at.loadWorld(MAIN_AGENT)),
      models: [{ provider: provider('anthropic'), model: 'claude-test' }],
      encode,
      signal: new AbortController().signal,
    })
    const { check } = orThrow(await at.report.status({}))
    expect(check).toMatchObject({ exit: 0, unserved: [{ problem: 'resting' }] })
    // It would be tried as the last resort.
    expect(orThrow(await at.report.status({ serving: true })).check.exit).toBe(0)
  })

  test('does not say twice that a login in use is bad', async () => {
    const { check } = await status({ books: { main: aBook(old) } })
    expect(check.exit).toBe(1)
    expect(check).not.toHaveProperty('unserved')
  })

  test('asks only whether all can be served, when that is the question', async () => {
    const at = house({ books: { main: aBook(old, aProfile('anthropic:a')) } })
    expect(orThrow(await at.report.status({ serving: true })).check.exit).toBe(0)
  })

  test('shows what a readable rest allows while a book cannot be read, and decides nothing', async () => {
    const at = house({
      books: { main: aBook(aProfile('anthropic:a')) },
      variables: { ANTHROPIC_API_KEY: 'fake-env' },
    })
    at.profiles.damage(MAIN_AGENT, UNREADABLE)
    const report = orThrow(await at.report.status({}))
    expect(report.bookFault).toEqual(UNREADABLE)
    expect(report.check.undecided).toEqual(UNREADABLE)
    expect(report.providers[0]?.effective?.profile).toBe('anthropic:env')
  })

  test('does not pass over an agent whose models cannot be told', async () => {
    const report = await status({
      config: { agents: { list: [{ id: 'work', model: 'nobody/x' }] } },
      books: { main: aBook(aProfile('anthropic:a')) },
    })
    expect(report.check).toMatchObject({ exit: 0, undecided: { code: 'EQ_PROVIDER_UNKNOWN' } })
  })

  test('shows no secret', async () => {
    const report = await status({
      books: { main: aBook(old, soon, aProfile('anthropic:a')) },
      variables: { OPENAI_API_KEY: 'fake-of-openai' },
    })
    expect(JSON.stringify(report)).not.toMatch(/fake-/)
  })

  test('changes nothing', async () => {
    const at = house({ books: { main: aBook(old) } })
    await at.report.status({})
    await at.report.explain({})
    await at.report.credentials({})
    expect(at.profiles.saves()).toBe(0)
    expect(at.states.state().profiles.size).toBe(0)
    expect(at.upstream.requests).toEqual([])
  })
})

describe('models auth explain', () => {
  const books = {
    main: aBook(aProfile('anthropic:a'), aProfile('anthropic:b'), aProfile('openai:c')),
  }

  test('tells why it is this model', async () => {
    const at = house({
      books,
      config: { agents: { defaults: { aliases: { gpt: 'openai/gpt-test' } } } },
    })
    expect(outcome(await at.report.explain({}))).toMatchObject({ modelBecause: 'credential' })
    expect(outcome(await at.report.explain({ model: 'GPT' }))).toMatchObject({
      model: { provider: 'openai', model: 'gpt-test' },
      modelBecause: 'asked',
      next: { profile: 'openai:c' },
    })
    expect(outcome(await house().report.explain({}))).toMatchObject({ modelBecause: 'sandbox' })
  })

  test('of a session uses its model and its pin', async () => {
    const at = house({ books })
    const pin = { profile: profile('anthropic:b'), source: 'user' } as const
    const pinned = head({ model: 'anthropic/claude-test', pin })
    await at.sessions.update(pinned.agent, pinned.id, () => pinned)
    expect(outcome(await at.report.explain({ session: session('main') }))).toMatchObject({
      modelBecause: 'session',
      pin: 'anthropic:b',
      next: { profile: 'anthropic:b', ranked: { why: { code: 'pinned' } } },
    })
    expect(
      outcome(await at.report.explain({ session: session('main'), model: 'openai/x' })),
    ).not.toHaveProperty('pin')
    expect(outcome(await at.report.explain({ session: session('none') }))).toBe(
      'EQ_SESSION_UNKNOWN',
    )
  })

  test('of a pin that is gone says what the next request would meet', async () => {
    const at = house({ books })
    expect(outcome(await at.report.explain({ model: 'anthropic/x@anthropic:gone' }))).toBe(
      'EQ_PROFILE_UNKNOWN',
    )
    at.profiles.damage(MAIN_AGENT, UNREADABLE)
    expect(outcome(await at.report.explain({ model: 'anthropic/x@anthropic:a' }))).toBe(
      'EQ_STORE_UNREADABLE',
    )
  })
})

describe('the list of credentials', () => {
  test('is of every provider that is set up, or of one', async () => {
    const at = house({
      books: { main: aBook(aProfile('anthropic:a')) },
      variables: { OPENAI_API_KEY: 'fake' },
    })
    const all = orThrow(await at.report.credentials({}))
    expect(all.providers.map(({ provider: id }) => id)).toEqual(['anthropic', 'openai'])
    const one = orThrow(await at.report.credentials({ provider: provider('openai') }))
    expect(
      one.providers.flatMap(({ candidates }) => candidates.map((entry) => entry.profile)),
    ).toEqual(['openai:env'])
  })
})

test('the list of models says which can be served now', async () => {
  const at = house({ books: { main: aBook(old) } })
  const models = orThrow(await at.report.models({}))
  expect(models.map(({ provider: id, usable }) => [id, usable])).toEqual([
    ['anthropic', false],
    ['sandbox', true],
  ])
})
