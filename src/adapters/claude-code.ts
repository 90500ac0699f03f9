/** Claude Code's own login: looked at, and held for the moment of a renewal. Its refresh token goes nowhere else. */

import type { ForeignReading } from '../domain/foreign.ts'
import { parseTokenMark } from '../domain/grant.ts'
import type { Clock } from '../domain/ports.ts'
import type { ForeignSource, OwnerHome } from '../domain/renewal-ports.ts'
import { fail, ok } from '../domain/result.ts'
import { parseClaudeLogin } from '../wire/claude-login.ts'
import { createForeignFile } from './foreign-file.ts'
import type { Keychain } from './keychain.ts'
import { createOwnerHold } from './owner-hold.ts'
import type { OwnerLockDeps } from './owner-locks.ts'
import { shownLogin } from './owner-login.ts'
import type { ClaudePlaces } from './owner-places.ts'

export interface ClaudeCodeDeps extends OwnerLockDeps {
  readonly places: ClaudePlaces
  readonly keychain: Keychain
  readonly clock: Clock
  readonly platform?: string
}

export type ClaudeCode = ForeignSource & OwnerHome

export function createClaudeCode(deps: ClaudeCodeDeps): ClaudeCode {
  const { places, keychain, clock } = deps
  const origin = 'claude-code'
  const isMac = (deps.platform ?? process.platform) === 'darwin'
  const inKeychain = { origin, place: `Keychain item "${places.keychainService}"` } as const
  const inFile = { origin, place: places.file } as const
  const file = createForeignFile({ ...inFile, parse: parseClaudeLogin, clock })

  async function readKeychain(prompting: boolean): Promise<ForeignReading> {
    const read = await keychain.read(
      { ...inKeychain, service: places.keychainService, account: places.keychainAccount },
      prompting,
    )
    if (!read.ok || !read.value) return read.ok ? ok(undefined) : read
    const parsed = parseClaudeLogin(read.value.reveal(), inKeychain.place)
    if (!parsed.ok || !parsed.value) return parsed.ok ? ok(undefined) : parsed
    return ok(shownLogin(parsed.value, inKeychain))
  }

  async function readFile(): Promise<ForeignReading> {
    const read = await file.read()
    if (!read.ok || !read.value) return read.ok ? ok(undefined) : read
    return ok(shownLogin(read.value.login, inFile, read.value.remark))
  }

  return {
    origin,
    place: () => (isMac ? inKeychain.place : inFile.place),

    async read(prompting = false) {
      if (!isMac) return readFile()
      const preferred = await readKeychain(prompting)
      if (preferred.ok && preferred.value) return preferred
      // Where its Keychain cannot be had, Claude Code keeps its login in the file.
      const other = await readFile()
      if (!other.ok || !other.value) return other.ok ? preferred : other
      const isSure = prompting && preferred.ok
      return ok({ ...other.value, ...(!isSure && { fallback: true }) })
    },

    async mark() {
      const read = await readFile()
      const mark = read.ok ? read.value?.refreshMark : undefined
      return mark === undefined ? undefined : parseTokenMark(mark)
    },

    async hold() {
      // Writing the Keychain back would put the secret into a program's arguments, and without asking a person there
      // is no telling whether the file, where there is one, is only a leftover.
      if (isMac) return fail({ reason: 'owner_unwritable', words: inKeychain.place })
      return createOwnerHold({ ...deps, dir: places.dir, path: places.file, file })
    },
  }
}
