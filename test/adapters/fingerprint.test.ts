import { describe, expect, it } from 'vitest'
import { fingerprint } from '../../src/adapters/fingerprint.ts'
import { Secret } from '../../src/domain/secret.ts'

describe('a fingerprint', () => {
  it('is eight hex digits, the same for the same secret and another for another', () => {
    const [a, again, b] = [
      'made-up-secret-number-1',
      'made-up-secret-number-1',
      'made-up-secret-number-2',
    ].map((text) => fingerprint(new Secret(text)))
    expect(a).toMatch(/^[0-9a-f]{8}$/)
    expect(again).toBe(a)
    expect(b).not.toBe(a)
  })

  it('stays the same from version to version: states on disk refer to it', () => {
    expect(fingerprint(new Secret('made-up-secret-number-1'))).toBe('5bfe4399')
  })

  it('says nothing about a secret that is short enough to be guessed', () => {
    expect(fingerprint(new Secret('hunter2'))).toBe('short')
  })
})
