import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { createCodexCli } from '../../src/adapters/codex-cli.ts'
import { markOf } from '../../src/domain/grant.ts'
import { Secret } from '../../src/domain/secret.ts'
import { createHandClock } from './hand-clock.ts'
import { temporaryFolder } from './temporary-folder.ts'

function setUp(data?: unknown) {
  const place = join(temporaryFolder(), 'auth.json')
  if (data !== undefined) writeFileSync(place, JSON.stringify(data, null, 2), { mode: 0o600 })
  return { place, source: createCodexCli({ place, clock: createHandClock() }) }
}

it('a login of Codex is shown without its refresh token, and its file is left as it is', async () => {
  const tokens = { access_token: 'fake-access', refresh_token: 'fake-refresh', account_id: 'me' }
  const { place, source } = setUp({ auth_mode: 'chatgpt', OPENAI_API_KEY: null, tokens })
  const before = [readFileSync(place, 'utf8'), statSync(place).mtimeMs]
  expect(source.place()).toBe(place)
  const read = await source.read()
  expect(read).toEqual({
    ok: true,
    value: {
      origin: 'codex-cli',
      place,
      access: new Secret(''),
      type: 'oauth',
      refreshMark: markOf(new Secret('fake-refresh')),
      accountId: 'me',
    },
  })
  expect(read.ok && read.value?.access.reveal()).toBe('fake-access')
  expect([readFileSync(place, 'utf8'), statSync(place).mtimeMs]).toEqual(before)
})

it('there is no login without a file', async () => {
  expect(await setUp().source.read()).toEqual({ ok: true, value: undefined })
})

it('an API key alone is said to be one', async () => {
  const { place, source } = setUp({ auth_mode: 'apikey', OPENAI_API_KEY: 'fake-key' })
  expect(await source.read()).toEqual({
    ok: false,
    fault: { code: 'EQ_FOREIGN_KEY_ONLY', origin: 'codex-cli', place },
  })
})
