import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

import { errorsPage, misplacedCodes } from '../errors-page.ts'

const page = readFileSync(new URL('../../docs/errors.md', import.meta.url), 'utf8')

test('docs/errors.md says of every code what the program says', () => {
  expect(page).toBe(errorsPage())
})

test('every code stands in one section', () => {
  expect(misplacedCodes()).toEqual([])
})
