import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

import { EVENT_FIELDS } from '../../src/wire/event-json.ts'

const page = readFileSync(new URL('../../docs/events.md', import.meta.url), 'utf8')

/** The fields that the page names for each kind. */
function describedFields(): Record<string, readonly string[]> {
  const [, ...sections] = page.split(/^### /m)
  return Object.fromEntries(
    sections.map((section) => {
      const kind = section.slice(0, section.indexOf('\n'))
      const rows = section.match(/^\| `.*?(?= \| )/gm) ?? []
      return [
        kind,
        rows.flatMap((row) => [...row.matchAll(/`(\w+)`/g)].map(([, name]) => name ?? '')),
      ]
    }),
  )
}

test('docs/events.md names every kind of event and every field of it, and no others', () => {
  const described = describedFields()
  expect(Object.keys(described).toSorted()).toEqual(Object.keys(EVENT_FIELDS).toSorted())
  for (const [kind, fields] of Object.entries(EVENT_FIELDS)) {
    expect(described[kind]?.toSorted(), kind).toEqual(Object.keys(fields).toSorted())
  }
})
