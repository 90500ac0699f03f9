import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseRequestRow, REQUEST_COLUMNS, requestCells } from '../../src/wire/ledger-row.ts'
import { anyRequest, aRequest } from '../request-records.ts'
import type { RequestRecord } from '../../src/domain/ledger.ts'

const rowOf = (record: RequestRecord): Record<string, unknown> =>
  Object.fromEntries(REQUEST_COLUMNS.map((name, index) => [name, requestCells(record)[index]]))

test('a request comes back from its row as it was', () => {
  fc.assert(
    fc.property(anyRequest, (record) => {
      expect(parseRequestRow(rowOf(record))).toEqual(record)
    }),
  )
})

test('a row that says what nobody here understands is left out', () => {
  const row = rowOf(aRequest())
  expect(parseRequestRow({ ...row, outcome: 'teleported' })).toBeUndefined()
  expect(parseRequestRow({ ...row, agent: '../x' })).toBeUndefined()
  expect(parseRequestRow({ ...row, at_ms: 'now' })).toBeUndefined()
  expect(parseRequestRow(undefined)).toBeUndefined()
})
