/** Codex's own login, only looked at: Codex keeps no lock that we could hold while renewing in its place. */

import type { Clock } from '../domain/ports.ts'
import type { ForeignSource } from '../domain/renewal-ports.ts'
import { ok } from '../domain/result.ts'
import { parseCodexLogin } from '../wire/codex-login.ts'
import { createForeignFile } from './foreign-file.ts'
import { shownLogin } from './owner-login.ts'

/** @param deps.place path of its `auth.json` */
export function createCodexCli(deps: {
  readonly place: string
  readonly clock: Clock
}): ForeignSource {
  const where = { origin: 'codex-cli', place: deps.place } as const
  const file = createForeignFile({ ...where, parse: parseCodexLogin, clock: deps.clock })
  return {
    origin: where.origin,
    place: () => where.place,
    async read() {
      const read = await file.read()
      if (!read.ok || !read.value) return read.ok ? ok(undefined) : read
      return ok(shownLogin(read.value.login, where, read.value.remark))
    },
  }
}
