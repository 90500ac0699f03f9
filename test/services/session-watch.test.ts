import { expect, test } from 'vitest'
import type { Happening } from '../../src/domain/event.ts'
import { DEFAULT_SESSION, MAIN_AGENT } from '../../src/domain/names.ts'
import type { SessionHead } from '../../src/domain/ports.ts'
import { fail } from '../../src/domain/result.ts'
import { watchedSessions } from '../../src/services/session-watch.ts'
import { FAKE_NOW, memorySessionStore } from '../../src/testing.ts'
import { profile } from '../names-from.ts'

const HEAD: SessionHead = {
  id: DEFAULT_SESSION,
  agent: MAIN_AGENT,
  createdAt: FAKE_NOW,
  updatedAt: FAKE_NOW,
  turns: 0,
}
const PINNED: SessionHead = { ...HEAD, pin: { profile: profile('a:b'), source: 'user' } }
const AUTO: SessionHead = { ...HEAD, pin: { profile: profile('a:b'), source: 'auto' } }

test('a pin that comes, changes its source or goes is told once, whoever wrote it', async () => {
  const told: Happening[] = []
  const sessions = watchedSessions(memorySessionStore(), (happening) => told.push(happening))
  for (const head of [HEAD, PINNED, { ...PINNED, turns: 1 }, AUTO, HEAD, HEAD]) {
    await sessions.update(MAIN_AGENT, DEFAULT_SESSION, () => head)
  }
  const common = { agent: 'main', session: DEFAULT_SESSION, profile: 'a:b' }
  expect(told).toEqual([
    { kind: 'session.pinned', ...common, source: 'user' },
    { kind: 'session.pinned', ...common, source: 'auto' },
    { kind: 'session.unpinned', ...common },
  ])
})

test('a pin that could not be written is not told', async () => {
  const told: Happening[] = []
  const broken = {
    ...memorySessionStore(),
    update: async () => fail({ code: 'EQ_LOCK_BUSY', path: '/locks/x' } as never),
  }
  const sessions = watchedSessions(broken, (happening) => told.push(happening))
  expect((await sessions.update(MAIN_AGENT, DEFAULT_SESSION, () => PINNED)).ok).toBe(false)
  expect(told).toEqual([])
})
