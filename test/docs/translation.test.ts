import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import type { Protocol } from '../../src/domain/provider.ts'
import { FATES, fateOf } from '../../src/wire/translate/fields.ts'

const page = readFileSync(new URL('../../docs/translation.md', import.meta.url), 'utf8')
const TITLES: readonly (readonly [Protocol, string])[] = [
  ['anthropic-messages', 'Messages'],
  ['openai-chat', 'Chat Completions'],
  ['openai-responses', 'Responses'],
]

describe.each(TITLES)('docs/translation.md on fields of %s', (source, title) => {
  test('says of each what the program does, and leaves none out', () => {
    const section = page.split(`## Fields of a ${title} request\n`)[1]?.split('\n## ')[0] ?? ''
    const [head = '', , ...rows] = section.trim().split('\n')
    const targets = [...head.matchAll(/to ([A-Z][\w ]+?) \|/g)].map(([, name]) => {
      const found = TITLES.find(([, other]) => other === name)
      if (!found) throw new Error(`no protocol is called ${name}`)
      return found[0]
    })
    expect(targets).toHaveLength(2)
    const told = rows.map((row) => {
      const [, field = '', ...fates] = row.split('|').map((cell) => cell.trim().replaceAll('`', ''))
      return [field, ...fates.slice(0, 2)]
    })
    const done = Object.keys(FATES[source]).map((field) => [
      field,
      ...targets.map((target) => fateOf(source, field, target)),
    ])
    expect(told).toEqual(done)
  })
})
