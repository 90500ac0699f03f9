import { describe, expect, test } from 'vitest'
import type { ClientFile } from '../../src/wire/client-file.ts'
import { NO_CLIENT_FILE, parseClientFile, renderClientFile } from '../../src/wire/client-file.ts'
import { agent, client, profile } from '../names-from.ts'

const digest = 'ab'.repeat(32)
const ENTRY = { key: `sha256:${digest}`, createdAt: 1 }
const laptop = client('laptop')

function parsed(value: unknown): ClientFile {
  const file = parseClientFile(JSON.stringify(value))
  if (!file.ok) throw new Error(file.fault.code)
  return file.value
}

test('what is written is read again as it was', () => {
  const full = {
    name: laptop,
    digest,
    createdAt: 1,
    rotatedAt: 2,
    agent: agent('main'),
    models: ['anthropic/*'],
    profiles: [profile('anthropic:work')],
    budget: { daily: { usd: 5 } },
    rate: { requests: 60, perMs: 60_000 },
    expiresAt: 3,
  }
  const text = renderClientFile(NO_CLIENT_FILE, new Map([[laptop, full]]))
  expect(parsed(JSON.parse(text)).clients.get(laptop)).toEqual(full)
})

test('fields that are not ours survive an edit at every level, and so do entries that cannot be read', () => {
  const file = parsed({
    later: 1,
    clients: {
      laptop: { ...ENTRY, note: 'mine' },
      phone: { ...ENTRY, limits: { moon: true } },
      'Bad Name': ENTRY,
    },
  })
  const before = file.clients.get(laptop)
  if (!before) throw new Error('laptop is not there')
  const next = new Map(file.clients).set(laptop, { ...before, digest: 'cd'.repeat(32) })
  expect(JSON.parse(renderClientFile(file, next))).toEqual({
    version: 1,
    later: 1,
    clients: {
      laptop: { ...ENTRY, key: `sha256:${'cd'.repeat(32)}`, note: 'mine', limits: {} },
      phone: { ...ENTRY, limits: { moon: true } },
      'Bad Name': ENTRY,
    },
  })
})

describe('an entry that cannot be read opens nothing, and is told', () => {
  test.each([
    ['a limit of a kind that is not known', { ...ENTRY, limits: { country: 'nl' } }],
    ['a limit of another form', { ...ENTRY, limits: { rate: { requests: 0, perMs: 1 } } }],
    ['an empty list of models', { ...ENTRY, limits: { models: [] } }],
    ['a key as text', { ...ENTRY, key: 'eqb-plain' }],
    ['no key', { createdAt: 1 }],
    ['no entry', null],
  ])('%s', (_what, entry) => {
    const file = parsed({ clients: { laptop: entry } })
    expect([...file.clients.keys()]).toEqual([])
    expect(file.problems).toMatchObject([{ field: expect.stringMatching(/^clients\.laptop/) }])
  })
})

test.each([
  ['{', 'EQ_STORE_SYNTAX'],
  ['[]', 'EQ_STORE_FIELD'],
  ['{"version": 2}', 'EQ_STORE_NEWER'],
  ['{"version": "1"}', 'EQ_STORE_FIELD'],
  ['{"clients": []}', 'EQ_STORE_FIELD'],
])('%s as a whole cannot be used', (text, code) => {
  expect(parseClientFile(text)).toMatchObject({ ok: false, fault: { code } })
})

test('a client with the name of a part of JavaScript is one like others', () => {
  const file = parsed(
    JSON.parse('{"clients":{"constructor":{"key":"sha256:' + digest + '","createdAt":1}}}'),
  )
  expect(file.clients.get(client('constructor'))).toMatchObject({ digest })
})
