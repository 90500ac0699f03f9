import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { bearerOf } from '../../src/domain/credential.ts'
import type { ProviderId } from '../../src/domain/names.ts'
import type { ProviderFacts } from '../../src/domain/provider.ts'
import type { Candidate } from '../../src/domain/rotation.ts'
import type { World } from '../../src/domain/world.ts'
import {
  candidatesFor,
  configuredHeaders,
  explicitOrder,
  fillReferences,
  hasCredential,
  isReserved,
  rankFor,
  referencedNames,
} from '../../src/domain/world.ts'
import { aBook, anEnvironment, aProfile, aWorld } from '../../src/testing.ts'
import { profile, provider } from '../names-from.ts'
import { settingsFrom } from '../settings-from.ts'

const ANTHROPIC = provider('anthropic')

function factsOf(world: World, id: ProviderId): ProviderFacts {
  const facts = world.providers.get(id)
  if (!facts) throw new TypeError(id)
  return facts
}
const candidates = (world: World, id = ANTHROPIC): readonly Candidate[] =>
  candidatesFor(world, factsOf(world, id))
const ids = (world: World, id = ANTHROPIC): readonly string[] =>
  candidates(world, id).map((candidate) => candidate.id)

describe('the candidates of a provider', () => {
  test('are its profiles, its variable and its key in config', () => {
    const world = aWorld({
      settings: settingsFrom({
        models: { providers: { anthropic: { apiKey: '${OTHER_KEY}' } } },
      }),
      profiles: [aProfile('anthropic:a'), aProfile('openai:a')],
      environment: anEnvironment({ ANTHROPIC_API_KEY: 'fake-1', OTHER_KEY: 'fake-2' }),
    })
    expect(ids(world)).toEqual(['anthropic:a', 'anthropic:env', 'anthropic:config'])
    expect(candidates(world)[0]?.source).toEqual({
      kind: 'store',
      agent: 'main',
      path: '/state/agents/main/agent/auth-profiles.json',
    })
  })

  test('count one key once, though config refers to the provider’s own variable', () => {
    const world = aWorld({
      settings: settingsFrom({
        models: { providers: { anthropic: { apiKey: '${ANTHROPIC_API_KEY}' } } },
      }),
      environment: anEnvironment({ ANTHROPIC_API_KEY: 'fake-1' }),
    })
    expect(ids(world)).toEqual(['anthropic:env'])
  })

  test('take the first of several variables', () => {
    const world = aWorld({
      environment: anEnvironment({ GOOGLE_API_KEY: 'fake-2', GEMINI_API_KEY: 'fake-1' }),
    })
    const [candidate] = candidates(world, provider('google'))
    expect(candidate?.source).toMatchObject({ kind: 'variable', variable: 'GEMINI_API_KEY' })
  })

  test('are two where both a key and a token are set, each its own', () => {
    const world = aWorld({
      environment: anEnvironment({
        ANTHROPIC_API_KEY: 'fake-key',
        CLAUDE_CODE_OAUTH_TOKEN: 'fake-token',
      }),
    })
    expect(
      candidates(world).map(({ id, credential, lane, source }) => [
        id,
        credential?.type,
        lane,
        source.kind === 'variable' && source.variable,
      ]),
    ).toEqual([
      ['anthropic:env', 'api_key', 'metered', 'ANTHROPIC_API_KEY'],
      ['anthropic:env-token', 'token', 'subscription', 'CLAUDE_CODE_OAUTH_TOKEN'],
    ])
  })

  test('hold what is in a token variable as a bearer token, whatever it looks like', () => {
    for (const text of ['sk-ant-api03-fake', 'sk-ant-oat01-fake', 'anything']) {
      const world = aWorld({ environment: anEnvironment({ CLAUDE_CODE_OAUTH_TOKEN: text }) })
      expect(candidates(world).map(({ id, credential }) => [id, credential?.type])).toEqual([
        ['anthropic:env-token', 'token'],
      ])
    }
  })

  test('count a token once, though config refers to its variable', () => {
    const world = aWorld({
      settings: settingsFrom({
        models: { providers: { anthropic: { apiKey: '${CLAUDE_CODE_OAUTH_TOKEN}' } } },
      }),
      environment: anEnvironment({ CLAUDE_CODE_OAUTH_TOKEN: 'fake-token' }),
    })
    expect(ids(world)).toEqual(['anthropic:env-token'])
  })

  test('treat a setup-token in the key variable as a token', () => {
    const world = aWorld({ environment: anEnvironment({ ANTHROPIC_API_KEY: 'sk-ant-oat01-fake' }) })
    const [candidate] = candidates(world)
    expect(candidate?.credential?.type).toBe('token')
    expect(candidate?.lane).toBe('subscription')
  })

  test('name the variable that config refers to and nobody set', () => {
    const world = aWorld({
      settings: settingsFrom({ models: { providers: { anthropic: { apiKey: '${NOT_SET}' } } } }),
    })
    expect(candidates(world)).toMatchObject([
      { id: 'anthropic:config', missingVariable: 'NOT_SET' },
    ])
  })

  test('are all useless while a header of the provider refers to an unset variable', () => {
    const settings = settingsFrom({
      models: { providers: { anthropic: { headers: { 'x-team': '${TEAM}' } } } },
    })
    const world = aWorld({ settings, profiles: [aProfile('anthropic:a')] })
    const [only] = rankFor(world, { provider: ANTHROPIC, model: 'm' })
    expect(only?.why).toEqual({ code: 'missing_variable', variable: 'TEAM' })
    const set = { ...world, environment: anEnvironment({ TEAM: 'blue' }) }
    expect(rankFor(set, { provider: ANTHROPIC, model: 'm' })[0]?.taken).toBe(true)
    expect(configuredHeaders(set, ANTHROPIC)['x-team']?.reveal()).toBe('blue')
  })

  test('are one without a credential where the provider needs none, and only while none is given', () => {
    const ollama = provider('ollama')
    expect(ids(aWorld(), ollama)).toEqual(['ollama:local'])
    expect(ids(aWorld(), provider('sandbox'))).toEqual(['sandbox:builtin'])
    expect(ids(aWorld(), ANTHROPIC)).toEqual([])
    const keyed = aWorld({ environment: anEnvironment({ OLLAMA_API_KEY: 'fake' }) })
    expect(ids(keyed, ollama)).toEqual(['ollama:env'])
  })

  test('carry the fingerprint of what is sent', () => {
    const world = aWorld({ profiles: [aProfile('anthropic:a')] })
    for (const { credential, fingerprint } of candidates(world)) {
      expect(credential && world.fingerprint(bearerOf(credential))).toBe(fingerprint)
    }
  })
})

describe('an explicit order', () => {
  const configured = settingsFrom({ auth: { order: { anthropic: ['anthropic:b'] } } })
  const book = { ...aBook(), order: new Map([[ANTHROPIC, [profile('anthropic:a')]]]) }

  test('of the agent wins over the one in config', () => {
    const world = aWorld({ settings: configured, book: { ...book, profiles: new Map() } })
    expect(explicitOrder(world, ANTHROPIC)).toEqual({ from: 'agent', ids: ['anthropic:a'] })
    expect(explicitOrder(aWorld({ settings: configured }), ANTHROPIC)).toEqual({
      from: 'config',
      ids: ['anthropic:b'],
    })
    expect(explicitOrder(aWorld(), ANTHROPIC)).toBeUndefined()
  })
})

describe('a provider counts as set up', () => {
  const has = (world: World, id: string): boolean =>
    hasCredential(world, factsOf(world, provider(id)))

  test('with a profile, usable or not, or a variable', () => {
    expect(has(aWorld(), 'anthropic')).toBe(false)
    expect(has(aWorld({ profiles: [aProfile('anthropic:a')] }), 'anthropic')).toBe(true)
    expect(has(aWorld({ environment: anEnvironment({ OPENAI_API_KEY: 'x' }) }), 'openai')).toBe(
      true,
    )
  })

  test('not because it needs no credential, unless config names it', () => {
    expect(has(aWorld(), 'ollama')).toBe(false)
    expect(has(aWorld(), 'sandbox')).toBe(false)
    const settings = settingsFrom({
      models: { providers: { ollama: { baseUrl: 'http://127.0.0.1:1/v1' } } },
    })
    expect(has(aWorld({ settings }), 'ollama')).toBe(true)
  })
})

describe('references to variables', () => {
  const environment = anEnvironment({ A: 'one', B: '${A}' })

  test('are filled in, once, and told', () => {
    expect(fillReferences('x ${A}-${B} $A', environment)).toEqual({
      text: 'x one-${A} $A',
      used: ['A', 'B'],
    })
  })

  test('stand for themselves when escaped', () => {
    expect(fillReferences('$${A}', environment)).toEqual({ text: '${A}', used: [] })
    expect(referencedNames('$${A} ${B}')).toEqual(['B'])
  })

  test('of which one is not set give its name', () => {
    expect(fillReferences('${A}${NOPE}${ALSO}', environment)).toEqual({ missing: 'NOPE' })
  })

  test('that are filled in are those that are referred to', () => {
    const parts = fc.array(
      fc.constantFrom('$', '${A}', '${B}', '$${A}', 'x', '{', '}', '${', '${1}'),
    )
    fc.assert(
      fc.property(parts, (list) => {
        const text = list.join('')
        const filled = fillReferences(text, environment)
        const names = 'used' in filled ? filled.used : [filled.missing]
        const [unset] = referencedNames(text).filter((name) => !environment.has(name))
        expect(names).toEqual(unset === undefined ? referencedNames(text) : [unset])
      }),
    )
  })
})

test('the names of keys outside the book are reserved', () => {
  for (const name of ['env', 'env-token', 'config', 'local', 'builtin'])
    expect(isReserved(profile(`anthropic:${name}`))).toBe(true)
  expect(isReserved(profile('anthropic:work'))).toBe(false)
})
