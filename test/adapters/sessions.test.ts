import { appendFileSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { createSessionStore } from '../../src/adapters/sessions.ts'
import type { TranscriptEntry } from '../../src/domain/chat.ts'
import { MAIN_AGENT, parseSessionId } from '../../src/domain/names.ts'
import type { SessionId } from '../../src/domain/names.ts'
import type { SessionHead, SessionStore } from '../../src/domain/ports.ts'
import { orThrow } from '../../src/domain/equabot-error.ts'
import { fail, ok } from '../../src/domain/result.ts'
import { createFixture } from './stores-fixture.ts'

function session(name: string): SessionId {
  const id = parseSessionId(name)
  if (!id) throw new Error(name)
  return id
}
const head = (name: string, updatedAt: number): SessionHead => ({
  id: session(name),
  agent: MAIN_AGENT,
  createdAt: 1,
  updatedAt,
  turns: 0,
})
const said = (text: string): TranscriptEntry => ({ at: 1, role: 'user', text })

function createStore() {
  const fixture = createFixture()
  const dir = fixture.home.sessionsDir(MAIN_AGENT)
  return { dir, locks: fixture.home.locksDir, store: createSessionStore(fixture) }
}

const keep = (
  store: SessionStore,
  kept: SessionHead,
  entries: readonly TranscriptEntry[] = [],
): ReturnType<SessionStore['update']> => store.update(kept.agent, kept.id, () => kept, entries)

describe('sessions on disk', () => {
  it('are none where nothing was written', async () => {
    const { store } = createStore()
    expect(await store.list(MAIN_AGENT)).toEqual(ok({ heads: [], unreadable: [] }))
    expect(await store.read(MAIN_AGENT, session('a'))).toEqual(ok(undefined))
    expect(await store.transcript(MAIN_AGENT, session('a'))).toEqual(ok([]))
    expect(await store.remove(MAIN_AGENT, session('a'))).toEqual(ok(false))
  })

  it('are listed with the newest first, those with a broken head as faults', async () => {
    const { store, dir } = createStore()
    for (const [name, at] of [
      ['a', 1],
      ['b', 3],
      ['c.d', 2],
    ] as const) {
      expect(await keep(store, head(name, at))).toEqual(ok())
    }
    writeFileSync(join(dir, 'broken.json'), '{')
    writeFileSync(join(dir, 'Not A Session.json'), '{}')
    const listed = orThrow(await store.list(MAIN_AGENT))
    expect(listed.heads.map((entry) => entry.id)).toEqual(['b', 'c.d', 'a'])
    expect(listed.unreadable).toMatchObject([{ path: join(dir, 'broken.json') }])
    expect(await store.read(MAIN_AGENT, session('broken'))).toEqual(
      fail({ code: 'EQ_STORE_SYNTAX', path: join(dir, 'broken.json'), line: 1, column: 2 }),
    )
  })

  it('are private files', async () => {
    const { store, dir } = createStore()
    await keep(store, head('a', 1), [said('hello')])
    expect(readdirSync(dir)).toEqual(['a.json', 'a.jsonl'])
    expect(readdirSync(dir).map((name) => statSync(join(dir, name)).mode & 0o777)).toEqual([
      0o600, 0o600,
    ])
    expect(statSync(dir).mode & 0o777).toBe(0o700)
  })

  it('keep every entry that was appended, also beside one that a crash cut short', async () => {
    const { store, dir } = createStore()
    const id = session('a')
    await keep(store, head('a', 1), [said('one'), said('two')])
    appendFileSync(join(dir, 'a.jsonl'), '{"at":1,"role":"us')
    expect(orThrow(await store.transcript(MAIN_AGENT, id))).toEqual([said('one'), said('two')])
    await Promise.all(['3', '4', '5'].map((text) => keep(store, head('a', 1), [said(text)])))
    const texts = orThrow(await store.transcript(MAIN_AGENT, id)).map((entry) => entry.text)
    expect(texts).toEqual(['one', 'two', '3', '4', '5'])
  })

  it('lose no change when several are made at once', async () => {
    const { store } = createStore()
    const counted = (before: SessionHead | undefined): SessionHead => {
      const known = before ?? head('a', 1)
      return { ...known, turns: known.turns + 1 }
    }
    const id = session('a')
    await Promise.all([1, 2, 3, 4, 5].map(() => store.update(MAIN_AGENT, id, counted)))
    expect(orThrow(await store.read(MAIN_AGENT, id))).toMatchObject({ turns: 5 })
  })

  it('are gone with their transcript when they are removed', async () => {
    const { store, dir } = createStore()
    await keep(store, head('a', 1), [said('hello')])
    expect(await store.remove(MAIN_AGENT, session('a'))).toEqual(ok(true))
    expect(readdirSync(dir)).toEqual([])
  })

  it('leave few lock files behind, however many they were', async () => {
    const { store, locks } = createStore()
    for (let turn = 0; turn < 60; turn += 1) await store.remove(MAIN_AGENT, session(`s${turn}`))
    expect(readdirSync(locks).length).toBeLessThanOrEqual(16)
  })

  it('tell when they cannot be written', async () => {
    const { store, dir } = createStore()
    mkdirSync(join(dir, 'a.json'), { recursive: true })
    expect(await keep(store, head('a', 1))).toEqual(
      fail({ code: 'EQ_STORE_UNSAFE', path: join(dir, 'a.json'), problem: 'not_a_file' }),
    )
  })
})
