import { afterEach, beforeEach, expect, test } from 'vitest'

import type { Ran, User } from './harness.ts'
import { newUser } from './harness.ts'

let user: User

beforeEach(async () => {
  user = await newUser()
})

afterEach(() => user.leave())

const models = (...args: readonly string[]): Promise<Ran> => user.run(['models', ...args])

test('set chooses the default by model or alias, and status says that it was set', async () => {
  expect((await models('aliases', 'add', 'opus', 'anthropic/claude-opus-5')).code).toBe(0)
  const set = await models('set', 'opus')
  expect(set.out).toBe('Default model: anthropic/claude-opus-5 (in ~/.equabot/equabot.json)\n')
  expect((await models('status', '--plain')).out).toBe('anthropic/claude-opus-5\n')
  expect((await models('status')).out).toMatch(/Because +set in the config/)
})

test('wrong models and providers are refused with what is possible, and nothing is changed', async () => {
  await models('set', 'anthropic/claude-opus-5')
  const before = await user.files()
  for (const [args, words] of [
    [['set', 'nosuch'], /No known provider serves a model "nosuch"\nWrite it as provider\/model/],
    [['set', 'antropic/claude'], /no provider "antropic"\nDid you mean anthropic\?/],
    [['fallbacks', 'add', 'nosuch'], /No known provider serves/],
    [['fallbacks', 'remove', 'groq/x'], /groq\/x is not a fallback/],
    [['aliases', 'remove', 'nosuch'], /no alias "nosuch"/],
    [['aliases', 'add', 'two words', 'groq/x'], /cannot serve as alias name/],
    [['list', '--provider', 'antropic'], /Did you mean anthropic\?/],
  ] as const) {
    const ran = await models(...args)
    expect(ran, args.join(' ')).toMatchObject({ code: 64, out: '' })
    expect(ran.err).toMatch(words)
  }
  expect(await user.files()).toEqual(before)
})

test('an alias stands for one model until it is removed', async () => {
  await models('aliases', 'add', 'opus', 'anthropic/claude-opus-5')
  const taken = await models('aliases', 'add', 'opus', 'openai/gpt-5.1')
  expect(taken).toMatchObject({ code: 64 })
  expect(taken.err).toContain('equabot models aliases remove opus')
  expect(JSON.parse((await models('aliases', '--json')).out)).toEqual({
    aliases: [{ alias: 'opus', model: 'anthropic/claude-opus-5' }],
  })
  expect((await models('aliases', 'remove', 'opus')).out).toContain('anthropic/claude-opus-5')
  expect((await models('aliases')).out).toBe('No aliases\n')
})

test('fallbacks keep their order, hold each model once, and every command says what they are', async () => {
  expect((await models('fallbacks')).out).toBe('No fallbacks\n')
  await models('fallbacks', 'add', 'openai/gpt-5.1')
  await models('fallbacks', 'add', 'groq/llama')
  expect((await models('fallbacks', 'add', 'openai/gpt-5.1')).out).toBe(
    '1. openai/gpt-5.1\n2. groq/llama\n',
  )
  expect((await models('fallbacks', 'remove', 'openai/gpt-5.1', '--json')).out).toContain(
    '"groq/llama"',
  )
  expect((await models('fallbacks', 'clear')).out).toBe('No fallbacks\n')
})

test('list shows what can be chosen, with its login; --all adds the catalogue of the providers', async () => {
  await user.write(
    '.equabot/equabot.json',
    `{ models: { providers: { office: { baseUrl: "http://127.0.0.1:9/v1", models: [{ id: "big", contextWindow: 128000 }] } } },
       agents: { defaults: { model: { primary: "anthropic/claude-opus-5", fallbacks: ["office/big"] } } } }`,
  )
  const listed = await models('list')
  expect(listed.code).toBe(0)
  expect(listed.out).toMatch(/^Model +Login +Context +Tags/)
  expect(listed.out).toMatch(/anthropic\/claude-opus-5 +no +\d+k +default/)
  expect(listed.out).toMatch(/office\/big +\w+ +128k +fallback/)
  const plain = await models('list', '--plain', '--all', '--provider', 'anthropic')
  const lines = plain.out.trim().split('\n')
  expect(lines.length).toBeGreaterThan(5)
  expect(lines.every((line) => line.startsWith('anthropic/'))).toBe(true)
  const json: unknown = JSON.parse((await models('list', '--json')).out)
  expect(json).toMatchObject({ count: listed.out.trim().split('\n').length - 1 })
  expect((await models('list', '--json', '--plain')).code).toBe(64)
})
