import fc from 'fast-check'
import { expect, test } from 'vitest'
import { addedUp, requestId, sumsOf, usageName } from '../../src/domain/ledger.ts'
import { agent, session } from '../names-from.ts'
import { anyRequest, aRequest } from '../request-records.ts'

test('the id of a later request sorts after that of an earlier one, whatever chance gave them', () => {
  const instant = fc.integer({ min: 0, max: 4_102_444_800_000 })
  const chance = fc.stringMatching(/^[0-9a-z]{10}$/)
  fc.assert(
    fc.property(instant, instant, chance, chance, (a, b, one, other) => {
      fc.pre(a < b)
      expect(requestId(a, one) < requestId(b, other)).toBe(true)
    }),
  )
})

test('sums can be made of sums: how requests are grouped changes nothing', () => {
  fc.assert(
    fc.property(fc.array(anyRequest), fc.nat(20), (records, cut) => {
      const sums = records.map(sumsOf)
      const parts = addedUp([addedUp(sums.slice(0, cut)), addedUp(sums.slice(cut))])
      expect(parts).toEqual(addedUp(sums))
      expect(parts.requests).toBe(records.length)
    }),
  )
})

test('a request that was cut or stopped counts as not whole, and its tokens still count', () => {
  expect(sumsOf(aRequest({ outcome: 'cut' }))).toMatchObject({ failed: 1, inputTokens: 100 })
  expect(sumsOf(aRequest())).toMatchObject({ failed: 0, counted: 1, priced: 0 })
  expect(sumsOf(aRequest({ costUsd: 0 }))).toMatchObject({ priced: 1, costUsd: 0 })
})

test('a session is named with its agent, for two agents may each have one of that name', () => {
  const record = aRequest({ agent: agent('research'), session: session('monday') })
  expect(usageName(record, 'session')).toBe('research/monday')
  expect(usageName(aRequest(), 'session')).toBe('')
  expect(usageName(record, 'client')).toBe('')
})
