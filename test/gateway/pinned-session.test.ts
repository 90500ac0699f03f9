import { expect, test } from 'vitest'
import { MAIN_AGENT } from '../../src/domain/names.ts'
import type { Pin } from '../../src/domain/pins.ts'
import { aBook, anAnswer, aProfile, FAKE_NOW } from '../../src/testing.ts'
import { openDoors } from '../model/doors.ts'
import { profile, session } from '../names-from.ts'
import type { House } from '../services/house.ts'
import { house, outcome, sentKey } from '../services/house.ts'

const MINE = session('mine')
const model = { primary: 'anthropic/claude-test', fallbacks: ['backup/m'] }

async function pinned(pin?: Pin): Promise<House> {
  const at = house({
    books: { main: aBook(aProfile('anthropic:a'), aProfile('backup:x')) },
    config: {
      agents: { defaults: { model } },
      models: {
        providers: {
          backup: { baseUrl: 'https://backup.invalid', protocol: 'anthropic-messages' },
        },
      },
    },
    upstream: (request) =>
      sentKey(request)?.includes('anthropic') ? anAnswer(500) : anAnswer(200),
  })
  const head = { id: MINE, agent: MAIN_AGENT, createdAt: FAKE_NOW, updatedAt: FAKE_NOW, turns: 0 }
  await at.sessions.update(MAIN_AGENT, MINE, () => ({ ...head, ...(pin && { pin }) }))
  return at
}
const ask = async (at: House, asked: string): Promise<unknown> =>
  outcome(await openDoors(at).api({ agent: MAIN_AGENT, model: asked, session: MINE }))

test('a fallback stands in for the default model, and not for a credential that a person has named', async () => {
  const user = { profile: profile('anthropic:a'), source: 'user' } as const
  expect(await ask(await pinned(), 'default')).toMatchObject({ candidate: { id: 'backup:x' } })
  expect(await ask(await pinned(user), 'default')).toBe('EQ_UPSTREAM_FAILED')
  expect(await ask(await pinned(), 'anthropic/claude-test@anthropic:a')).toBe('EQ_UPSTREAM_FAILED')
  const auto = { ...user, source: 'auto' } as const
  expect(await ask(await pinned(auto), 'default')).toMatchObject({ candidate: { id: 'backup:x' } })
})
