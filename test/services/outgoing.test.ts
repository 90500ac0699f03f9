import { inspect } from 'node:util'
import { describe, expect, test } from 'vitest'
import type { Credential } from '../../src/domain/credential.ts'
import type { UpstreamRequest } from '../../src/domain/ports.ts'
import { Secret } from '../../src/domain/secret.ts'
import type { World } from '../../src/domain/world.ts'
import { candidatesFor } from '../../src/domain/world.ts'
import { upstreamRequest } from '../../src/services/outgoing.ts'
import { anEnvironment, aProfile, aWorld } from '../../src/testing.ts'
import { provider } from '../names-from.ts'
import { settingsFrom } from '../settings-from.ts'

const SECRET = 'fake-secret-that-is-sent'

function sent(
  id: string,
  credential: Credential | undefined,
  headers: Readonly<Record<string, string>> = {},
  overrides: Partial<World> = {},
): UpstreamRequest {
  const world = aWorld({
    profiles: credential ? [aProfile(`${id}:a`, { credential })] : [],
    ...overrides,
  })
  const facts = world.providers.get(provider(id))
  const [candidate] = facts ? candidatesFor(world, facts) : []
  if (!facts || !candidate) throw new TypeError(id)
  return upstreamRequest(world, facts, candidate, { path: '/v1/x', headers, body: '{}' })
}
const secrets = (request: UpstreamRequest): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(request.secretHeaders).map(([name, secret]) => [name, secret.reveal()]),
  )

const KEY: Credential = { type: 'api_key', key: new Secret(SECRET) }
const TOKEN: Credential = { type: 'token', token: new Secret(SECRET) }
const OAUTH: Credential = {
  type: 'oauth',
  access: new Secret(SECRET),
  refresh: new Secret('fake-refresh'),
}

describe('the credential', () => {
  test.each([
    ['anthropic', KEY, { 'x-api-key': SECRET }],
    ['anthropic', TOKEN, { authorization: `Bearer ${SECRET}` }],
    ['anthropic', OAUTH, { authorization: `Bearer ${SECRET}` }],
    ['openai', KEY, { authorization: `Bearer ${SECRET}` }],
    ['sandbox', KEY, { 'x-api-key': SECRET }],
  ])('of %s stands where it is wanted', (id, credential, headers) => {
    expect(secrets(sent(id, credential))).toEqual(headers)
  })

  test('is absent where none is needed', () => {
    expect(secrets(sent('ollama', undefined))).toEqual({})
  })

  test('shows in no print of the request, and its refresh token is nowhere in it', () => {
    const request = sent('anthropic', OAUTH)
    const printed = `${inspect(request, { depth: null })}${JSON.stringify(request)}`
    expect(printed).not.toContain(SECRET)
    expect(JSON.stringify(secrets(request))).not.toContain('fake-refresh')
  })
})

describe('the headers', () => {
  test('of the protocol go along, unless the caller sent its own', () => {
    expect(sent('anthropic', KEY).headers).toMatchObject({
      'content-type': 'application/json',
      'anthropic-version': '2023-06-01',
    })
    expect(sent('anthropic', KEY, { 'anthropic-version': '2099-01-01' }).headers).toMatchObject({
      'anthropic-version': '2099-01-01',
    })
  })

  test('that a bearer demands join those of the caller, once, and only with a bearer', () => {
    const beta = (credential: Credential, mine?: string): string | undefined =>
      sent('anthropic', credential, mine === undefined ? {} : { 'anthropic-beta': mine }).headers[
        'anthropic-beta'
      ]
    expect(beta(KEY)).toBeUndefined()
    expect(beta(KEY, 'mine')).toBe('mine')
    expect(beta(TOKEN)).toBe('oauth-2025-04-20')
    expect(beta(TOKEN, 'mine')).toBe('mine,oauth-2025-04-20')
    expect(beta(TOKEN, 'mine, oauth-2025-04-20')).toBe('mine, oauth-2025-04-20')
  })

  test('of config are secrets, with their references filled in, and never replace the credential', () => {
    const settings = settingsFrom({
      models: {
        providers: {
          openai: { headers: { 'X-Team': 'b-${TEAM}', Authorization: 'Bearer ${TEAM}' } },
        },
      },
    })
    const request = sent(
      'openai',
      KEY,
      {},
      { settings, environment: anEnvironment({ TEAM: 'blue' }) },
    )
    expect(secrets(request)).toEqual({ 'x-team': 'b-blue', authorization: `Bearer ${SECRET}` })
  })
})

test('the address is the base URL and the path, the body as given, the timeouts those of settings', () => {
  const settings = settingsFrom({
    models: { providers: { openai: { baseUrl: 'http://127.0.0.1:9/v1/' } } },
    upstream: { idleTimeoutMs: 7_000 },
  })
  const request = sent('openai', KEY, {}, { settings })
  expect(request).toMatchObject({
    url: 'http://127.0.0.1:9/v1/v1/x',
    body: '{}',
    timeouts: { idleTimeoutMs: 7_000 },
  })
})
