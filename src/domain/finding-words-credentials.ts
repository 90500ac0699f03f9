/** Credentials and their use, in a user's words. */

import type { CredentialType } from './credential.ts'
import { OWNER_NAMES } from './explain-foreign.ts'
import { loginAgain } from './explain-renewal.ts'
import type { CredentialFact } from './finding-fact.ts'
import { providerOf } from './names.ts'
import type { ProfileId } from './names.ts'
import type { Origin } from './profile.ts'
import type { Telling, Told } from './telling.ts'
import { tellFault } from './telling.ts'
import { dateText, relative } from './time.ts'
import { credentialCommand, restWords } from './wording.ts'

export function tellCredential(fact: CredentialFact, telling: Telling): Told {
  const say = (message: string, fix: string): Told => ({ message, fix })
  const { now } = telling
  switch (fact.code) {
    case 'DR_ACCESS_ENDED':
      return say(
        `${fact.profile} expired ${relative(fact.at, now)} (${dateText(fact.at)}), and nothing renews it`,
        anew(fact),
      )
    case 'DR_ACCESS_OWNERS':
      return tellFault(
        { code: 'EQ_RENEWAL_OWNERS', profile: fact.profile, origin: fact.origin },
        telling,
      )
    case 'DR_ACCESS_ENDING':
      return say(
        `${fact.profile} ends ${relative(fact.at, now)} (${dateText(fact.at)}), and nothing renews it`,
        anew(fact),
      )
    case 'DR_ACCESS_REJECTED':
      return say(
        `${fact.profile}: the provider rejected it ${relative(fact.at, now)}: ${fact.words}`,
        replaced(fact.profile, fact.outside),
      )
    case 'DR_SECRET_UNUSABLE':
      return fact.variable === undefined
        ? say(
            `${fact.profile} holds no secret: it is empty, a placeholder, or broken`,
            replaced(fact.profile, fact.outside),
          )
        : say(
            `${fact.profile}: the config refers to ${fact.variable}, which is not set`,
            `Set ${fact.variable}, for instance in the .env of the state folder`,
          )
    case 'DR_POLICY_REFUSED':
      return say(
        `${fact.profile}: the provider refuses this use: ${fact.words}`,
        `Use an API key: ${credentialCommand(providerOf(fact.profile))}`,
      )
    case 'DR_RESTING':
      return say(
        `${fact.profile} ${restWords(fact.rest, now)}`,
        'Nothing to do; see: equabot models status',
      )
    case 'DR_CREDENTIAL_NONE':
      return say(
        'There is no credential of any provider; the built-in sandbox answers',
        credentialCommand('sandbox'),
      )
    case 'DR_PROFILE_UNORDERED':
      return say(
        `${fact.profile} is never tried: it is not in ${fact.order === 'agent' ? `the order of agent ${fact.agent}` : 'auth.order of the config'}`,
        fact.order === 'agent'
          ? `Use it: equabot models auth order clear --provider ${providerOf(fact.profile)} --agent ${fact.agent}. Forget it: ${removal(fact)}`
          : `Add it to auth.order.${providerOf(fact.profile)} in the config, or forget it: ${removal(fact)}`,
      )
    case 'DR_PROFILE_MODE':
      return say(
        `${fact.profile} is never tried: the config expects mode ${fact.mode}, the credential is ${fact.type}`,
        `equabot config set 'auth.profiles["${fact.profile}"].mode' ${fact.type}`,
      )
    case 'DR_PROFILE_UNUSED':
      return say(
        `${fact.profile} has not been used since ${dateText(fact.since)}, and no model in use needs ${providerOf(fact.profile)}`,
        `If it is not wanted: ${removal(fact)}`,
      )
    default:
      return fact satisfies never
  }
}

/** What makes this credential anew. */
function anew(fact: {
  readonly profile: ProfileId
  readonly type: CredentialType
  readonly origin: Origin
}): string {
  if (fact.origin !== 'equabot')
    return `Log in with ${OWNER_NAMES[fact.origin]}: ${loginAgain(fact.profile, fact.origin)}`
  return fact.type === 'oauth' ? loginAgain(fact.profile, fact.origin) : replaced(fact.profile)
}

function replaced(profile: ProfileId, outside?: string): string {
  if (outside !== undefined) return `Replace ${outside}`
  return `${credentialCommand(providerOf(profile))} --profile-id ${profile}`
}

function removal(fact: { readonly profile: ProfileId; readonly agent: string }): string {
  return `equabot models auth remove ${fact.profile} --agent ${fact.agent}`
}
