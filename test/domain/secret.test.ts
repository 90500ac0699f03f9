import { inspect } from 'node:util'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Secret } from '../../src/domain/secret.ts'

const TEXT = 'sk-ant-fake-0123456789'

describe('a secret shows itself', () => {
  test('in no string, JSON, inspection, template, key or error', () => {
    const secret = new Secret(TEXT)
    const holder = { secret, list: [secret], map: new Map([['k', secret]]) }
    const shown = [
      String(secret),
      // oxlint-disable-next-line typescript/restrict-template-expressions -- the rule under test
      `${secret}`,
      secret.toString(),
      'x' + String(secret),
      JSON.stringify(secret),
      JSON.stringify(holder),
      inspect(secret),
      inspect(holder, { depth: null, showHidden: true, getters: true }),
      new Error('no: '.concat(String(secret))).message,
      inspect(new Error('outer', { cause: holder }), { depth: null }),
      Object.keys(secret).join(),
      JSON.stringify({ ...secret }),
      [secret].join(),
    ]
    for (const text of shown) expect(text).not.toContain('fake')
    expect(String(secret)).toBe('[secret]')
  })

  test('by reveal alone, unchanged', () => {
    fc.assert(fc.property(fc.string(), (text) => new Secret(text).reveal() === text))
  })
})

test('two secrets are equal when their texts are', () => {
  expect(new Secret(TEXT).equals(new Secret(TEXT))).toBe(true)
  expect(new Secret(TEXT).equals(new Secret(`${TEXT}x`))).toBe(false)
  expect(new Secret(TEXT).length).toBe(TEXT.length)
})
