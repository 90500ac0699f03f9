import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { MAIN_AGENT, providerOf } from '../../src/domain/names.ts'
import type { ProfileBook } from '../../src/domain/profile.ts'
import {
  effectiveBook,
  profilesOf,
  withOrder,
  withoutOrder,
  withoutProfile,
  withProfile,
} from '../../src/domain/profile.ts'
import { aBook, aProfile } from '../../src/testing.ts'
import { agent, profile } from '../names-from.ts'

const ids = fc
  .tuple(fc.constantFrom('anthropic', 'openai', 'google'), fc.constantFrom('a', 'b', 'c', 'd'))
  .map(([provider, name]) => profile(`${provider}:${name}`))
const books: fc.Arbitrary<ProfileBook> = fc
  .tuple(fc.uniqueArray(ids), fc.array(fc.uniqueArray(ids, { minLength: 1 }), { maxLength: 3 }))
  .map(([held, orders]) => {
    let book = aBook(...held.map((id) => aProfile(id)))
    for (const order of orders) {
      const [first] = order
      if (!first) continue
      const provider = providerOf(first)
      book = withOrder(
        book,
        provider,
        order.filter((id) => providerOf(id) === provider),
      )
    }
    return book
  })
const snapshot = (book: ProfileBook): unknown =>
  structuredClone({ ids: [...book.profiles.keys()], order: [...book.order] })

describe('an edit of a book', () => {
  test('leaves the book it was given as it was', () => {
    fc.assert(
      fc.property(books, ids, fc.array(ids), (book, id, order) => {
        const before = snapshot(book)
        withProfile(book, aProfile(id))
        withoutProfile(book, id)
        withOrder(book, providerOf(id), order)
        withoutOrder(book, providerOf(id))
        expect(snapshot(book)).toEqual(before)
      }),
    )
  })

  test('that adds a profile changes no other profile and no order', () => {
    fc.assert(
      fc.property(books, ids, (book, id) => {
        const added = aProfile(id, { storedAt: 5 })
        const after = withProfile(book, added)
        expect(after.profiles.get(id)).toBe(added)
        expect(after.order).toEqual(book.order)
        expect(withoutProfile(after, id).profiles).toEqual(withoutProfile(book, id).profiles)
      }),
    )
  })

  test('that removes a profile removes it from every order and changes nothing else', () => {
    fc.assert(
      fc.property(books, ids, (book, id) => {
        const after = withoutProfile(book, id)
        expect(after.profiles.has(id)).toBe(false)
        expect(after.profiles.size).toBe(book.profiles.size - (book.profiles.has(id) ? 1 : 0))
        for (const [provider, order] of book.order) {
          const rest = order.filter((entry) => entry !== id)
          expect(after.order.get(provider) ?? []).toEqual(rest)
        }
        expect([...after.order.values()].every((order) => order.length > 0)).toBe(true)
      }),
    )
  })

  test('that sets an order keeps the first of repeated ids and touches no other provider', () => {
    fc.assert(
      fc.property(books, ids, fc.array(ids), (book, id, order) => {
        const provider = providerOf(id)
        const after = withOrder(book, provider, order)
        expect(after.order.get(provider)).toEqual([...new Set(order)])
        expect(withoutOrder(after, provider).order).toEqual(withoutOrder(book, provider).order)
        expect(after.profiles).toBe(book.profiles)
      }),
    )
  })
})

describe('the book that an agent sees', () => {
  const work = agent('work')

  test('holds its own profiles and those of main, each with its home, and copies none', () => {
    fc.assert(
      fc.property(books, books, (own, main) => {
        const seen = effectiveBook(work, own, main)
        expect(new Set(seen.profiles.keys())).toEqual(
          new Set([...own.profiles.keys(), ...main.profiles.keys()]),
        )
        for (const [id, held] of seen.profiles) {
          const home = own.profiles.has(id) ? own : main
          expect(held.home).toBe(home === own ? work : MAIN_AGENT)
          expect(held.credential).toBe(home.profiles.get(id)?.credential)
        }
      }),
    )
  })

  test('has its own order alone', () => {
    fc.assert(
      fc.property(books, books, (own, main) => {
        expect(effectiveBook(work, own, main).order).toBe(own.order)
      }),
    )
  })

  test('is its own book for main', () => {
    const own = aBook(aProfile('anthropic:a'))
    const seen = effectiveBook(MAIN_AGENT, own, aBook(aProfile('anthropic:b')))
    expect([...seen.profiles.values()].map(({ id, home }) => `${id} ${home}`)).toEqual([
      'anthropic:a main',
    ])
  })

  test('lists the profiles of one provider', () => {
    const own = aBook(aProfile('anthropic:a'), aProfile('openai:a'), aProfile('anthropic:b'))
    const seen = effectiveBook(MAIN_AGENT, own, own)
    const [first] = own.profiles.keys()
    expect(first && profilesOf(seen, providerOf(first)).map(({ id }) => id)).toEqual([
      'anthropic:a',
      'anthropic:b',
    ])
  })
})
