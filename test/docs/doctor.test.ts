import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

import { doctorPage, misplacedFindings } from '../doctor-page.ts'

const page = readFileSync(new URL('../../docs/doctor.md', import.meta.url), 'utf8')

test('docs/doctor.md says of every finding what the program says', () => {
  expect(page).toBe(doctorPage())
})

test('every finding stands in one section', () => {
  expect(misplacedFindings()).toEqual([])
})
