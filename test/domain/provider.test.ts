import { describe, expect, test } from 'vitest'
import { parseModelKey, parseProviderId } from '../../src/domain/names.ts'
import {
  BUILT_IN_PROVIDERS,
  providerByModelPrefix,
  providerTable,
  SANDBOX,
  speaks,
} from '../../src/domain/provider.ts'
import { provider } from '../names-from.ts'

describe.each(BUILT_IN_PROVIDERS)('$id', (facts) => {
  test('bears a provider id', () => {
    expect(parseProviderId(facts.id)).toBe(facts.id)
  })

  test('has a base URL without a slash at its end', () => {
    expect(new URL(facts.baseUrl).protocol).toMatch(/^https?:$/)
    expect(facts.baseUrl).not.toMatch(/\/$/)
  })

  test('has a default model that is a model id', () => {
    if (facts.defaultModel === undefined) return
    expect(parseModelKey(`${facts.id}/${facts.defaultModel}`)?.model).toBe(facts.defaultModel)
  })

  test('has a default model that its own name leads to, or to nobody', () => {
    const table = providerTable(new Map())
    const claimed = providerByModelPrefix(table, facts.defaultModel ?? '')
    expect([undefined, facts.id]).toContain(claimed?.id)
  })

  test('has token variables among its variables', () => {
    expect(facts.variables).toEqual(expect.arrayContaining([...(facts.tokenVariables ?? [])]))
  })

  test('has variables in upper case', () => {
    for (const name of facts.variables) expect(name).toMatch(/^[A-Z][A-Z0-9_]*$/)
  })
})

describe('the table of providers', () => {
  const custom = provider('my-host')

  test('holds the built-in ones, in their order', () => {
    expect([...providerTable(new Map()).keys()]).toEqual(BUILT_IN_PROVIDERS.map(({ id }) => id))
  })

  test('takes a base URL from config and keeps the rest', () => {
    const table = providerTable(
      new Map([[provider('openai'), { baseUrl: 'http://127.0.0.1:9/v1//' }]]),
    )
    expect(table.get(provider('openai'))).toMatchObject({
      baseUrl: 'http://127.0.0.1:9/v1',
      variables: ['OPENAI_API_KEY'],
      from: 'built-in',
    })
    expect(BUILT_IN_PROVIDERS.find(({ id }) => id === 'openai')?.baseUrl).toBe(
      'https://api.openai.com/v1',
    )
  })

  test('holds providers of config; one without a key serves without', () => {
    const table = providerTable(
      new Map([[custom, { baseUrl: 'http://h/v1', models: [{ id: 'first' }, { id: 'second' }] }]]),
    )
    expect(table.get(custom)).toMatchObject({
      id: 'my-host',
      protocol: 'openai-chat',
      keyless: 'local',
      defaultModel: 'first',
      from: 'config',
    })
    const keyed = providerTable(new Map([[custom, { baseUrl: 'http://h', apiKey: '${X}' }]]))
    expect(keyed.get(custom)?.keyless).toBeUndefined()
  })

  test('sends an API key of an Anthropic-like provider as x-api-key', () => {
    const table = providerTable(
      new Map([[custom, { baseUrl: 'http://h', protocol: 'anthropic-messages' }]]),
    )
    expect(table.get(custom)?.authHeader).toEqual({
      api_key: 'x-api-key',
      token: 'bearer',
      oauth: 'bearer',
    })
  })
})

test.each([
  ['claude-opus-4-5', 'anthropic'],
  ['GPT-5', 'openai'],
  ['gemini-2.5-pro', 'google'],
  ['sandbox-echo', 'sandbox'],
  ['llama3', undefined],
])('the model %s belongs to %s', (model, id) => {
  expect(providerByModelPrefix(providerTable(new Map()), model)?.id).toBe(id)
})

test('the sandbox speaks both protocols', () => {
  const facts = providerTable(new Map()).get(SANDBOX)
  expect(facts && speaks(facts, 'anthropic-messages')).toBe(true)
  expect(facts && speaks(facts, 'openai-chat')).toBe(true)
  expect(facts && speaks(facts, 'openai-responses')).toBe(false)
})
