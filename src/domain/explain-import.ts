/** What became of each entry of an import, in a user's words. */

import { OWNER_NAMES } from './explain-foreign.ts'
import type { KeptBecause, NotImported } from './legacy.ts'
import { MAIN_AGENT } from './names.ts'

export function notImportedWords(why: NotImported): string {
  switch (why.code) {
    case 'unreadable':
      return why.field === ''
        ? `expected ${why.expected}`
        : `${why.field}: expected ${why.expected}`
    case 'unknown_type':
      return `it is of an unknown type, "${why.type}"`
    case 'blank':
      return 'its secret is empty'
    case 'placeholder':
      return 'it is a placeholder, not a secret'
    case 'malformed':
      return 'its secret holds blanks or characters that no secret has'
    case 'unnameable':
      return 'it is not called by the name of a provider'
    case 'reserved':
      return 'Equabot gives that name to keys outside the book'
    case 'unknown_provider':
      return `Equabot does not know ${why.provider}; describe it under models.providers in the config first`
    case 'foreign':
      return why.origin === undefined
        ? 'it is the login of another program on this machine, which Equabot borrows by itself: equabot models auth sync'
        : `it is the login of ${OWNER_NAMES[why.origin]}, which Equabot borrows by itself: equabot models auth sync`
    case 'owner_unknown':
      return `it may be the login of ${OWNER_NAMES[why.origin]}, whose own login cannot be read now; see: equabot models auth sync`
    case 'spent':
      return 'it is an older state of a login that Equabot has renewed since; its refresh token has served and is not used again'
    case 'stands_elsewhere':
      return `the same login is ${why.profile} already${why.agent === MAIN_AGENT ? '' : ` (agent ${why.agent})`}; one refresh token has one home`
    default:
      return why satisfies never
  }
}

export function keptWords(why: KeptBecause): string {
  switch (why.code) {
    case 'another_credential':
      return `this name holds another credential here (${why.type} ${why.fingerprint}), which stays; --replace takes the imported one, --profile-id gives it a name of its own`
    case 'borrowed':
      return `this name is the login of ${OWNER_NAMES[why.origin]} here`
    case 'came_before':
      return 'another login of this import has this name'
    case 'maybe_older':
      return `it may be an older copy of the ${why.profile} of this import, and using an older copy ends the login for both. If it is of another account, import its file alone with --profile-id`
    case 'ours_unreadable':
      return 'what this name holds here cannot be read; see: equabot models status'
    default:
      return why satisfies never
  }
}

/** Two programs that renew one login by turns end it: the provider takes the second one for a thief. */
export const ONE_OWNER_WORDS: string =
  'Let the other tool use these OAuth logins no longer: two owners of one refresh token log each other out'
