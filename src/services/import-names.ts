/** Under which names a login may come that shares its name with another one of the same import. */

import type { CredentialType } from '../domain/credential.ts'
import type { ProfileId } from '../domain/names.ts'
import { nameOf, profileId, providerOf } from '../domain/names.ts'

/** So much of a long name is kept that what is put behind it still makes a name. */
const KEPT_CHARACTERS = 100

/** Its own name for 1, `default-api_key` for 2, `default-api_key-2` for 3, and on. */
export function nameNumber(nth: number, wanted: ProfileId, type: CredentialType): ProfileId {
  if (nth === 1) return wanted
  const second = `${nameOf(wanted).slice(0, KEPT_CHARACTERS)}-${type}`
  return profileId(providerOf(wanted), nth === 2 ? second : `${second}-${nth - 1}`)
}

/** Whether a login of that name and type may have come under this one. */
export function isNameFor(id: ProfileId, wanted: ProfileId, type: CredentialType): boolean {
  const number = Number(/-(\d{1,6})$/.exec(id)?.[1] ?? 0)
  return [1, 2, number + 1].some((nth) => nth > 0 && id === nameNumber(nth, wanted, type))
}
