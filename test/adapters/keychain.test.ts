import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { createFiles } from '../../src/adapters/files.ts'
import type { KeychainDeps } from '../../src/adapters/keychain.ts'
import { createKeychain } from '../../src/adapters/keychain.ts'
import { createHandClock } from './hand-clock.ts'
import { temporaryFolder } from './temporary-folder.ts'

const ITEM = {
  origin: 'claude-code',
  place: 'Keychain item "Claude Code-credentials"',
  service: 'Claude Code-credentials',
  account: 'me',
} as const
const { origin, place } = ITEM
const LOGIN = '{"claudeAiOauth":{"accessToken":"fake-access"}}'

/** A `security` of our own that notes how it was called, then does as `script` says. */
function setUp(script: string, more: Partial<KeychainDeps> = {}) {
  const folder = temporaryFolder()
  const program = join(folder, 'security')
  const calls = join(folder, 'calls')
  const refusalsPath = join(folder, 'state', 'keychain-refused.json')
  const rewrite = (body: string): void =>
    writeFileSync(
      program,
      `#!/bin/sh\nprintf '%s|' "$@" >> ${calls}\nenv >> ${calls}.env\n${body}\n`,
      { mode: 0o700 },
    )
  rewrite(script)
  const open = () =>
    createKeychain({
      variables: new Map([
        ['PATH', process.env['PATH'] ?? ''],
        ['HOME', folder],
        ['ANTHROPIC_API_KEY', 'fake-key-in-env'],
      ]),
      files: createFiles(),
      clock: createHandClock(),
      refusalsPath,
      platform: 'darwin',
      program,
      ...more,
    })
  const read = async (prompting: boolean) => {
    const got = await open().read(ITEM, prompting)
    return got.ok ? got.value?.reveal() : got.fault
  }
  return { read, rewrite, calls, refusalsPath }
}

describe('the Keychain', () => {
  it('gives the text of exactly the item that is asked for', async () => {
    const { read, calls } = setUp(`printf '%s\\n' '${LOGIN}'`)
    expect(await read(true)).toBe(LOGIN)
    expect(readFileSync(calls, 'utf8')).toBe(
      'find-generic-password|-a|me|-w|-s|Claude Code-credentials|',
    )
    expect(readFileSync(`${calls}.env`, 'utf8')).not.toContain('fake-key-in-env')
  })

  it('gives the text that is printed as hex digits', async () => {
    const { read } = setUp(`printf '%s\\n' ${Buffer.from(LOGIN).toString('hex')}`)
    expect(await read(true)).toBe(LOGIN)
  })

  it('is not asked where no person is there to answer', async () => {
    const { read, calls } = setUp(`printf x`)
    expect(await read(false)).toBeUndefined()
    expect(existsSync(calls)).toBe(false)
  })

  it('is not asked on another system', async () => {
    const { read, calls } = setUp(`printf x`, { platform: 'linux' })
    expect(await read(true)).toBeUndefined()
    expect(existsSync(calls)).toBe(false)
  })

  it.each([
    [44, undefined],
    [36, { code: 'EQ_KEYCHAIN_LOCKED', origin, place }],
    [51, { code: 'EQ_KEYCHAIN_DENIED', origin, place, remembered: false }],
    [128, { code: 'EQ_KEYCHAIN_DENIED', origin, place, remembered: false }],
    [9, { code: 'EQ_KEYCHAIN_FAILED', origin, place, exit: 9 }],
  ])('that ends with %i', async (exit, expected) => {
    const { read } = setUp(`echo "a word of the system" >&2\nexit ${exit}`)
    expect(await read(true)).toEqual(expected)
  })

  it('that is not there fails', async () => {
    const { read } = setUp('', { program: '/nowhere/security' })
    expect(await read(true)).toEqual({ code: 'EQ_KEYCHAIN_FAILED', origin, place, exit: 127 })
  })

  it('that does not answer is ended, and called silent', async () => {
    const folder = temporaryFolder()
    const { read } = setUp(`echo $$ > ${folder}/pid\nexec sleep 60`, { timeoutMs: 300 })
    expect(await read(true)).toEqual({ code: 'EQ_KEYCHAIN_SILENT', origin, place, waitedMs: 300 })
    const pid = Number(readFileSync(`${folder}/pid`, 'utf8'))
    expect(() => process.kill(pid, 0)).toThrow('ESRCH')
  })
})

describe('a refusal', () => {
  it('is remembered by every process, and nobody is asked again by itself', async () => {
    const { read, rewrite, calls, refusalsPath } = setUp('exit 128')
    await read(true)
    rewrite(`printf '%s' '${LOGIN}'`)
    const asked = readFileSync(calls, 'utf8')
    expect(await read(false)).toEqual({
      code: 'EQ_KEYCHAIN_DENIED',
      origin,
      place,
      remembered: true,
    })
    expect(readFileSync(calls, 'utf8')).toBe(asked)
    expect(statSync(refusalsPath).mode & 0o777).toBe(0o600)
  })

  it('is asked about again when a person wants it, and forgotten when they agree', async () => {
    const { read, rewrite, refusalsPath } = setUp('exit 51')
    await read(true)
    rewrite(`printf '%s' '${LOGIN}'`)
    expect(await read(true)).toBe(LOGIN)
    expect(existsSync(refusalsPath)).toBe(false)
    expect(await read(false)).toBeUndefined()
  })

  it('of one item says nothing about another', async () => {
    const { read, refusalsPath } = setUp('exit 44')
    await createFiles().write(refusalsPath, '{"Claude Code-credentials-0123abcd":5}')
    expect(await read(false)).toBeUndefined()
  })

  it('that cannot be read any more costs a question at most', async () => {
    const { read, refusalsPath } = setUp('exit 128')
    await createFiles().write(refusalsPath, '{ broken')
    expect(await read(false)).toBeUndefined()
    await read(true)
    expect(await read(false)).toMatchObject({ remembered: true })
  })
})
