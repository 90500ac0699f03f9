/** What a person reads in the browser at the end of a login, and how accounts are called. */

import type { Credential } from './credential.ts'

/** How the answer that the browser brought was taken. */
export type CallbackOutcome = 'agreed' | 'denied' | 'refused' | 'unknown'

interface PageWords {
  readonly title: string
  readonly text: string
}

/** Fixed texts: nothing that came with the request is ever among them. */
export const CALLBACK_PAGES: Readonly<Record<CallbackOutcome, PageWords>> = {
  agreed: {
    title: 'Equabot has the answer',
    text: 'You can close this page. The terminal says whether the login worked.',
  },
  denied: {
    title: 'The provider did not agree',
    text: 'Nothing was changed. The terminal says more.',
  },
  refused: {
    title: 'This answer is not for the login that is waiting',
    text: 'It was not used. Go on in the newest page of the login, or start again in the terminal.',
  },
  unknown: {
    title: 'There is nothing here',
    text: 'Equabot waits for the answer of a login at another path.',
  },
}

/** Whose a credential is, as far as it says. */
export function accountWords(credential: Credential): string {
  if (credential.email !== undefined) return credential.email
  if (credential.type !== 'oauth') return `a stored ${credential.type}`
  return credential.accountId ?? 'an account that does not say its name'
}
