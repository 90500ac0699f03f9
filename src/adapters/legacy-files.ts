/** Finds and reads the login files of other tools. They are never written. */

import { stat } from 'node:fs/promises'
import { basename, join, resolve, sep } from 'node:path'

import type { LegacyFile, LegacyFiles } from '../domain/ports.ts'
import { MAIN_AGENT } from '../domain/names.ts'
import { fail, ok } from '../domain/result.ts'
import { parseLegacyLogins } from '../wire/legacy-logins.ts'
import type { Files } from './files.ts'
import { errnoOf } from './files.ts'
import type { Home } from './home.ts'

export interface LegacyFilesDeps {
  readonly home: Pick<Home, 'stateDir'>
  readonly files: Files
}

const BOOK = 'auth-profiles.json'
const LOOKED_FOR = `${BOOK}, auth.json, credentials/oauth.json`

export function createLegacyFiles({ home, files }: LegacyFilesDeps): LegacyFiles {
  async function read(path: string): Promise<LegacyFile | undefined> {
    const text = await files.read(path)
    if (!text.ok) return { path, logins: text }
    if (!text.value) return undefined
    const logins = parseLegacyLogins(text.value.text)
    return { path, logins: logins.ok ? logins : fail({ ...logins.fault, path }) }
  }

  return {
    async read(path) {
      const full = resolve(path)
      const nothing = { code: 'EQ_IMPORT_NOTHING', path: full, looked: LOOKED_FOR } as const
      let isFolder: boolean
      try {
        isFolder = (await stat(full)).isDirectory()
      } catch (cause) {
        const errno = errnoOf(cause)
        return fail(
          errno === 'ENOENT'
            ? { code: 'EQ_IMPORT_MISSING', path: full }
            : { code: 'EQ_STORE_UNREADABLE', path: full, errno },
        )
      }
      const own = await files.realPath(home.stateDir)
      if (!own.ok) return own
      const real = await files.realPath(full)
      if (!real.ok) return real
      if (real.value === own.value) return fail({ code: 'EQ_IMPORT_SELF', path: full })
      const candidates = isFolder ? await candidatesIn(files, full) : [full]
      const found: LegacyFile[] = []
      for (const candidate of candidates) {
        const place = await files.realPath(candidate)
        if (!place.ok) return place
        if (isOwnBook(place.value, own.value)) {
          return fail({ code: 'EQ_IMPORT_SELF', path: candidate })
        }
        const file = await read(candidate)
        if (file) found.push(file)
      }
      return found.length > 0 ? ok(found) : fail(nothing)
    },
  }
}

/** Those of the main agent first: where two files hold one name, the first one has it. */
async function candidatesIn(files: Files, folder: string): Promise<readonly string[]> {
  const listed = await files.list(join(folder, 'agents'))
  const agents = listed.ok ? listed.value : []
  const ordered = [
    ...agents.filter((name) => name === MAIN_AGENT),
    ...agents.filter((name) => name !== MAIN_AGENT),
  ]
  return [
    ...ordered.flatMap((name) => [
      join(folder, 'agents', name, 'agent', BOOK),
      join(folder, 'agents', name, 'agent', 'auth.json'),
    ]),
    join(folder, 'agent', BOOK),
    join(folder, 'agent', 'auth.json'),
    join(folder, 'credentials', 'oauth.json'),
    join(folder, BOOK),
    join(folder, 'auth.json'),
    join(folder, 'oauth.json'),
  ]
}

/** An older tool may have left its other files in what is now our state folder; those can be imported. */
function isOwnBook(real: string, own: string): boolean {
  return real.startsWith(join(own, 'agents') + sep) && basename(real) === BOOK
}
