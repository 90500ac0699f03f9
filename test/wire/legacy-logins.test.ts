import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { bearerOf } from '../../src/domain/credential.ts'
import { orThrow } from '../../src/domain/equabot-error.ts'
import type { LegacyLogins } from '../../src/domain/legacy.ts'
import { parseLegacyLogins } from '../../src/wire/legacy-logins.ts'

/** Every entry in a line or two: what it became, with its secrets, or why not. */
function read(document: unknown): Record<string, unknown> {
  const { value } = { value: parsed(document) }
  return Object.fromEntries(
    value.entries.map(({ name, login }) => {
      if (!login.ok) return [name, login.fault]
      const { id, credential, origin } = login.value
      return [
        name,
        {
          id,
          type: credential.type,
          secret: bearerOf(credential).reveal(),
          ...(credential.type === 'oauth' && { refresh: credential.refresh?.reveal() }),
          ...('expiresAt' in credential && { expiresAt: credential.expiresAt }),
          ...('accountId' in credential && { accountId: credential.accountId }),
          ...(origin !== 'equabot' && { origin }),
        },
      ]
    }),
  )
}

function parsed(document: unknown): LegacyLogins {
  const logins = parseLegacyLogins(JSON.stringify(document))
  if (!logins.ok) throw new Error(logins.fault.code)
  return logins.value
}

const EXPIRES = 4_102_444_800_000

describe('auth-profiles.json', () => {
  test('gives its profiles under their names, and its order', () => {
    const document = {
      version: 1,
      profiles: {
        'anthropic:default': {
          type: 'oauth',
          provider: 'anthropic',
          access: 'fake-access',
          refresh: 'fake-refresh',
          expires: EXPIRES,
          email: 'me@example.com',
        },
        'openai:work': { type: 'api_key', provider: 'openai', key: 'fake-key' },
        'groq:old': { type: 'token', provider: 'groq', token: 'fake-token' },
      },
      order: { anthropic: ['anthropic:default'], openai: ['openai:gone', 'openai:work'] },
      usageStats: { 'openai:work': { cooldownUntil: EXPIRES } },
      lastGood: { openai: 'openai:work' },
    }
    expect(read(document)).toEqual({
      'anthropic:default': {
        id: 'anthropic:default',
        type: 'oauth',
        secret: 'fake-access',
        refresh: 'fake-refresh',
        expiresAt: EXPIRES,
      },
      'openai:work': { id: 'openai:work', type: 'api_key', secret: 'fake-key' },
      'groq:old': { id: 'groq:old', type: 'token', secret: 'fake-token' },
    })
    expect([...parsed(document).order]).toEqual([
      ['anthropic', ['anthropic:default']],
      ['openai', ['openai:gone', 'openai:work']],
    ])
  })

  test('an entry that does not fit says why, and the others come', () => {
    expect(
      read({
        profiles: {
          'openai:blank': { type: 'api_key', provider: 'openai', key: '  ' },
          'openai:misspelt': { type: 'api_key', provider: 'openai', apiKey: 'fake-key' },
          'openai:new': { type: 'passkey', provider: 'openai' },
          'openai:text': 'fake-key',
          'openai:other': { type: 'api_key', provider: 'groq', key: 'fake-key' },
          nameless: { type: 'api_key', provider: 'openai', key: 'fake-key' },
          'openai:good': { type: 'api_key', provider: 'openai', key: 'fake-key' },
        },
      }),
    ).toEqual({
      'openai:blank': { code: 'blank' },
      'openai:misspelt': { code: 'unreadable', field: 'key', expected: expect.any(String) },
      'openai:new': { code: 'unknown_type', type: 'passkey' },
      'openai:text': { code: 'unreadable', field: '', expected: 'an object' },
      'openai:other': { code: 'unreadable', field: 'provider', expected: expect.any(String) },
      nameless: { code: 'unnameable' },
      'openai:good': { id: 'openai:good', type: 'api_key', secret: 'fake-key' },
    })
  })

  test('what it has copied or borrowed from Claude Code and Codex stays theirs; a setup-token under that name comes', () => {
    const oauth = { type: 'oauth', access: 'fake-access', refresh: 'fake-refresh' }
    expect(
      read({
        profiles: {
          'anthropic:claude-cli': { ...oauth, provider: 'anthropic' },
          'openai-codex:codex-cli': { ...oauth, provider: 'openai-codex' },
          'anthropic:lent': { ...oauth, provider: 'anthropic', origin: 'claude-code' },
        },
      }),
    ).toEqual({
      'anthropic:claude-cli': { code: 'foreign', origin: 'claude-code' },
      'openai-codex:codex-cli': { code: 'foreign', origin: 'codex-cli' },
      'anthropic:lent': { code: 'foreign', origin: 'claude-code' },
    })
    expect(
      read({
        profiles: {
          'anthropic:claude-cli': { type: 'token', provider: 'anthropic', token: 'fake-token' },
        },
      }),
    ).toMatchObject({ 'anthropic:claude-cli': { type: 'token' } })
  })
})

test('auth.json of an older tool gives `default` profiles', () => {
  expect(
    read({
      anthropic: {
        type: 'oauth',
        access: 'fake-access',
        refresh: 'fake-refresh',
        expires: EXPIRES,
      },
      groq: { type: 'api_key', key: 'fake-key' },
      xai: { type: 'token', token: 'fake-token', expires: 0 },
      'not a provider': { type: 'api_key', key: 'fake-key' },
      version: 1,
    }),
  ).toEqual({
    anthropic: {
      id: 'anthropic:default',
      type: 'oauth',
      secret: 'fake-access',
      refresh: 'fake-refresh',
      expiresAt: EXPIRES,
    },
    groq: { id: 'groq:default', type: 'api_key', secret: 'fake-key' },
    xai: { id: 'xai:default', type: 'token', secret: 'fake-token' },
    'not a provider': { code: 'unnameable' },
    version: { code: 'unreadable', field: '', expected: 'an object' },
  })
})

test("opencode's auth.json: `api`, `oauth`, `wellknown`; its ChatGPT login goes where ours would", () => {
  expect(
    read({
      openrouter: { type: 'api', key: 'fake-key', metadata: { plan: 'free' } },
      openai: {
        type: 'oauth',
        refresh: 'fake-refresh',
        access: 'fake-access',
        expires: EXPIRES,
        accountId: 'acc_1',
      },
      mistral: { type: 'wellknown', key: 'MISTRAL_TOKEN', token: 'fake-token' },
      'https://opencode.example.com': { type: 'wellknown', key: 'X', token: 'fake-token' },
    }),
  ).toEqual({
    openrouter: { id: 'openrouter:default', type: 'api_key', secret: 'fake-key' },
    openai: {
      id: 'openai-codex:default',
      type: 'oauth',
      secret: 'fake-access',
      refresh: 'fake-refresh',
      expiresAt: EXPIRES,
      accountId: 'acc_1',
    },
    mistral: { id: 'mistral:default', type: 'token', secret: 'fake-token' },
    'https://opencode.example.com': { code: 'unnameable' },
  })
})

test('credentials/oauth.json says no type and is read by what it holds', () => {
  expect(
    read({
      anthropic: { access: 'fake-access', refresh: 'fake-refresh', expires: EXPIRES },
      'openai-codex': { access: '', refresh: 'fake-refresh', expires: EXPIRES },
      google: {},
    }),
  ).toEqual({
    anthropic: {
      id: 'anthropic:default',
      type: 'oauth',
      secret: 'fake-access',
      refresh: 'fake-refresh',
      expiresAt: EXPIRES,
    },
    'openai-codex': { code: 'blank' },
    google: { code: 'unknown_type', type: 'none' },
  })
})

test("Claude Code's and Codex's own files give no login; an API key that Codex uses comes", () => {
  expect(
    read({ claudeAiOauth: { accessToken: 'fake-access', refreshToken: 'fake-refresh' } }),
  ).toEqual({ claudeAiOauth: { code: 'foreign', origin: 'claude-code' } })
  const tokens = { access_token: 'fake-access', refresh_token: 'fake-refresh' }
  expect(read({ auth_mode: 'chatgpt', OPENAI_API_KEY: null, tokens })).toEqual({
    tokens: { code: 'foreign', origin: 'codex-cli' },
  })
  expect(read({ OPENAI_API_KEY: 'fake-key' })).toEqual({
    OPENAI_API_KEY: { id: 'openai:default', type: 'api_key', secret: 'fake-key' },
  })
})

test.each([
  ['{"anthropic": {', 'EQ_STORE_SYNTAX'],
  ['[]', 'EQ_STORE_FIELD'],
  ['{"version": 99, "profiles": {}}', 'EQ_STORE_NEWER'],
])('%s as a whole is %s', (text, code) => {
  expect(parseLegacyLogins(text)).toMatchObject({ ok: false, fault: { code } })
})

test('a name or type that looks like a secret is not repeated', () => {
  const secret = `sk-ant-oat01-${'Fake_0123'.repeat(11)}`
  const told = JSON.stringify(
    parsed({ [secret]: { type: 'api_key', key: 'x' }, groq: { type: secret } }).entries,
  )
  expect(told).not.toContain('Fake_0123')
})

test('any JSON object is read without a throw, and names that objects have by nature are only names', () => {
  const entry = fc.oneof(
    fc.jsonValue(),
    fc.record(
      {
        type: fc.constantFrom('api_key', 'token', 'oauth', 'api', 'constructor', '__proto__'),
        key: fc.jsonValue(),
        token: fc.jsonValue(),
        access: fc.jsonValue(),
        refresh: fc.jsonValue(),
        expires: fc.jsonValue(),
      },
      { requiredKeys: [] },
    ),
  )
  const name = fc.oneof(
    fc.string(),
    fc.constantFrom('anthropic', 'openai', 'constructor', 'toString', 'profiles', 'anthropic:x'),
  )
  fc.assert(
    fc.property(fc.dictionary(name, entry), (document) => {
      const logins = parseLegacyLogins(JSON.stringify(document))
      if (logins.ok) for (const { login } of logins.value.entries) if (login.ok) orThrow(login)
    }),
  )
})
