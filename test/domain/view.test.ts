import { describe, expect, test } from 'vitest'
import type { SeenCredential, SeenReport } from '../../src/domain/view.ts'
import { viewDifferences } from '../../src/domain/view.ts'
import { viewDifferenceWords } from '../../src/domain/wording-view.ts'

const stored = (profile: string, fingerprint = '11111111'): SeenCredential => ({
  profile,
  fingerprint,
  source: { kind: 'store' },
})
const variable = (profile: string, name: string, fingerprint = '11111111'): SeenCredential => ({
  profile,
  fingerprint,
  source: { kind: 'variable', variable: name },
})
const status = (...credentials: readonly SeenCredential[]): SeenReport => ({
  model: 'a/b',
  configPath: '/c',
  credentials,
})
const explained = (model: string, ...credentials: readonly SeenCredential[]): SeenReport => ({
  model,
  credentials,
})
const NONE: ReadonlyMap<string, string> = new Map()

describe('two views of one state folder', () => {
  test('that are the same differ in nothing', () => {
    const seen = status(stored('a:one'), variable('a:env', 'A_KEY'))
    expect(viewDifferences(seen, seen, new Map([['A_KEY', '11111111']]))).toEqual([])
  })

  test('differ in variables that one side alone has, or each with another value', () => {
    const own = status(variable('b:env', 'B_KEY'), variable('c:env', 'C_KEY', '22222222'))
    const gateway = status(variable('a:env', 'A_KEY'), variable('c:env', 'C_KEY'))
    const mine = new Map([
      ['B_KEY', '11111111'],
      ['C_KEY', '22222222'],
    ])
    expect(viewDifferences(own, gateway, mine)).toEqual([
      { what: 'variable', name: 'A_KEY', side: 'gateway' },
      { what: 'variable', name: 'C_KEY', side: 'both' },
      { what: 'variable', name: 'B_KEY', side: 'own' },
    ])
  })

  test('do not differ by an access token that was renewed between the two looks', () => {
    const own = status(stored('a:one', '22222222'))
    expect(viewDifferences(own, status(stored('a:one')), NONE)).toEqual([])
  })

  test('differ in profiles and in the config that is read', () => {
    const own = { ...status(stored('a:one')), configPath: '/d' }
    expect(viewDifferences(own, status(stored('a:two')), NONE)).toEqual([
      { what: 'config', own: '/d', gateway: '/c' },
      { what: 'profile', profile: 'a:two', side: 'gateway' },
      { what: 'profile', profile: 'a:one', side: 'own' },
    ])
  })

  test('of one model say nothing of other providers, but that another model would be used', () => {
    const own = explained('b/m', stored('b:one'), variable('b:env', 'B_KEY'))
    const gateway = explained('a/m', stored('a:one'), variable('a:env', 'A_KEY'))
    expect(viewDifferences(own, gateway, new Map([['A_KEY', '11111111']]))).toEqual([
      { what: 'model', own: 'b/m', gateway: 'a/m' },
    ])
  })

  test('do not differ by what needs no credential', () => {
    const own = status({
      profile: 'sandbox:builtin',
      fingerprint: '',
      source: { kind: 'none_needed' },
    })
    expect(viewDifferences(own, status(), NONE)).toEqual([])
  })
})

test('each difference is one line of words that names what differs', () => {
  for (const [difference, name] of [
    [{ what: 'version', own: '1.0.0', gateway: '0.9.0' }, '0.9.0'],
    [{ what: 'config', own: '/d', gateway: '/c' }, '/c'],
    [{ what: 'model', own: 'b/m', gateway: 'a/m' }, 'b/m'],
    [{ what: 'variable', name: 'A_KEY', side: 'own' }, 'A_KEY'],
    [{ what: 'variable', name: 'A_KEY', side: 'both' }, 'A_KEY'],
    [{ what: 'variable', name: 'A_KEY', side: 'gateway' }, 'A_KEY'],
    [{ what: 'profile', profile: 'a:one', side: 'own' }, 'a:one'],
    [{ what: 'profile', profile: 'a:one', side: 'gateway' }, 'a:one'],
  ] as const) {
    expect(viewDifferenceWords(difference)).toMatch(/^\S[^\n]*\S$/)
    expect(viewDifferenceWords(difference)).toContain(name)
  }
})
