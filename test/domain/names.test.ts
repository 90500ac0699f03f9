import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  formatModelKey,
  formatModelRef,
  nameOf,
  parseAgentId,
  parseAlias,
  parseModelKey,
  parseModelRef,
  parseProfileId,
  parseProviderId,
  parseSessionId,
  profileId,
  providerOf,
  sameModel,
} from '../../src/domain/names.ts'

/** Texts made of what names and references are made of, so that many of them parse. */
const nameLike = fc
  .array(
    fc.oneof(
      fc.constantFrom('@', ':', '/', '+', '=', '.', '-', '_', ' ', 'anthropic', 'z.ai', 'Gemini'),
      fc.stringMatching(/^[A-Za-z0-9]{1,4}$/),
      fc.string({ maxLength: 2 }),
    ),
    { maxLength: 10 },
  )
  .map((parts) => parts.join(''))
const providers = fc
  .stringMatching(/^[a-z][a-z0-9]{0,8}$/)
  .map((text) => parseProviderId(text) ?? text)
const profileNames = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._@+-]{0,12}[A-Za-z0-9]$/)
const modelIds = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9/@:+=._-]{0,20}$/)

describe('a provider id', () => {
  test.each([
    ['Anthropic', 'anthropic'],
    [' openai ', 'openai'],
    ['z.ai', 'zai'],
    ['Z-AI', 'zai'],
    ['gemini', 'google'],
    ['grok', 'xai'],
    ['claude', 'anthropic'],
    ['my.host_1', 'my.host_1'],
  ])('%j is %s', (text, id) => {
    expect(parseProviderId(text)).toBe(id)
  })

  test.each(['', '-x', 'x.', 'a b', 'a/b', 'a:b', 'ä', '../x', 'x'.repeat(65)])(
    '%j is none',
    (text) => {
      expect(parseProviderId(text)).toBeUndefined()
    },
  )

  test('may be called like a member of every object', () => {
    expect(parseProviderId('constructor')).toBe('constructor')
    expect(parseProviderId('toString')).toBe('tostring')
  })
})

describe('a profile id', () => {
  test('keeps the case of its name and lowers its provider', () => {
    expect(parseProfileId(' Anthropic:Work ')).toBe('anthropic:Work')
    expect(parseProfileId('z.ai:me@x.com')).toBe('zai:me@x.com')
  })

  test.each([
    '',
    'anthropic',
    ':work',
    'anthropic:',
    'anthropic:a:b',
    'anthropic:a/b',
    'a:..',
    'a:b c',
  ])('%j is none', (text) => {
    expect(parseProfileId(text)).toBeUndefined()
  })

  test('is made of its provider and its name', () => {
    fc.assert(
      fc.property(nameLike, (text) => {
        const id = parseProfileId(text)
        if (!id) return
        expect(profileId(providerOf(id), nameOf(id))).toBe(id)
        expect(parseProfileId(id)).toBe(id)
        expect(parseProviderId(providerOf(id))).toBe(providerOf(id))
      }),
      { numRuns: 2_000 },
    )
  })

  test('of any provider and any name is one', () => {
    fc.assert(
      fc.property(providers, profileNames, (provider, name) => {
        expect(parseProfileId(`${provider}:${name}`)).toBe(`${provider}:${name}`)
      }),
    )
  })
})

describe('a model reference', () => {
  test.each([
    ['opus', { model: 'opus' }],
    ['anthropic/claude-sonnet-5', { provider: 'anthropic', model: 'claude-sonnet-5' }],
    [
      'openrouter/anthropic/claude-opus-4-5',
      { provider: 'openrouter', model: 'anthropic/claude-opus-4-5' },
    ],
    ['Opus@anthropic:work', { model: 'Opus', profile: 'anthropic:work' }],
    ['opus@anthropic:me@x.com', { model: 'opus', profile: 'anthropic:me@x.com' }],
    ['z.ai/glm@z.ai:a', { provider: 'zai', model: 'glm', profile: 'zai:a' }],
    ['gpt-5@myprofile', { model: 'gpt-5@myprofile' }],
    ['llama3:8b', { model: 'llama3:8b' }],
    ['google/m@2026:x=1+2', { provider: 'google', model: 'm@2026:x=1+2' }],
    ['@anthropic:work', { model: '@anthropic:work' }],
    ['/x', { model: '/x' }],
  ])('%s names %j', (text, ref) => {
    expect(parseModelRef(text)).toEqual(ref)
  })

  test.each(['', ' ', 'anthropic/', 'a b', 'anthropic/@anthropic:work', 'mödel', 'x'.repeat(201)])(
    '%j is none',
    (text) => {
      expect(parseModelRef(text)).toBeUndefined()
    },
  )

  test('is printed as it is read', () => {
    fc.assert(
      fc.property(nameLike, (text) => {
        const ref = parseModelRef(text)
        expect(ref && parseModelRef(formatModelRef(ref))).toEqual(ref)
      }),
      { numRuns: 5_000 },
    )
  })

  test('keeps provider and profile, whatever characters the model id holds', () => {
    fc.assert(
      fc.property(providers, modelIds, profileNames, (provider, model, name) => {
        const plain = parseModelRef(`${provider}/${model}`)
        fc.pre(plain?.profile === undefined)
        expect(plain).toEqual({ provider, model })
        const pinned = parseModelRef(`${provider}/${model}@${provider}:${name}`)
        fc.pre(pinned?.model === model)
        expect(pinned).toEqual({ provider, model, profile: `${provider}:${name}` })
      }),
    )
  })
})

describe('a model key', () => {
  test('has a provider and no profile', () => {
    expect(parseModelKey('opus')).toBeUndefined()
    expect(parseModelKey('anthropic/opus@anthropic:work')).toBeUndefined()
  })

  test('is printed as it is read', () => {
    fc.assert(
      fc.property(nameLike, (text) => {
        const key = parseModelKey(text)
        if (!key) return
        const again = parseModelKey(formatModelKey(key))
        expect(again && sameModel(again, key)).toBe(true)
      }),
      { numRuns: 2_000 },
    )
  })
})

describe('an agent or session id', () => {
  test('is a safe folder name in lower case', () => {
    expect(parseAgentId(' Research ')).toBe('research')
    expect(parseSessionId('monday-1')).toBe('monday-1')
  })

  test.each([
    '',
    '.',
    '..',
    'a..b',
    '.hidden',
    'a/b',
    'a\\b',
    'con',
    'NUL',
    'com1.x',
    'x.',
    'a b',
    'ä',
  ])('%j is none', (text) => {
    expect(parseAgentId(text)).toBeUndefined()
    expect(parseSessionId(text)).toBeUndefined()
  })

  test('never leaves its folder, whatever is typed', () => {
    fc.assert(
      fc.property(nameLike, (text) => {
        const id = parseAgentId(text)
        if (id === undefined) return
        expect(id).not.toMatch(/[/\\\0]|\.\.|^\.|\.$/)
        expect(parseAgentId(id)).toBe(id)
      }),
    )
  })
})

describe('an alias', () => {
  test.each(['opus', 'Opus', '4o', 'a.b_c:d-e', 'x'.repeat(64)])(
    '%j is one, its case kept',
    (text) => {
      expect(parseAlias(text)).toBe(text)
    },
  )

  test.each(['', '.x', '_x', '-x', ' x', 'a b', 'a/b', '@x', 'ä', 'x'.repeat(65)])(
    '%j is none',
    (text) => {
      expect(parseAlias(text)).toBeUndefined()
    },
  )
})
