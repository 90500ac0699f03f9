/** Why a login, a setup-token or an import did not come about, in a user's words. */

import { enabledCommand, OWNER_NAMES } from './explain-foreign.ts'
import type { Explanation } from './explanation.ts'
import type { LoginAgain, LoginFault } from './fault.ts'
import { inWords } from './time.ts'

export function explainLogin(fault: LoginFault): Explanation {
  const say = (message: string, hint: string, exit: number, http = 400): Explanation => ({
    message,
    hint,
    exit,
    http,
  })
  switch (fault.code) {
    case 'EQ_LOGIN_UNSUPPORTED':
      return say(
        `${fault.provider} has no OAuth login for Equabot: there is no ${fault.lacks}`,
        `Use a key or token: equabot models auth paste-token --provider ${fault.provider}. If the provider gave you a client of your own: equabot config set models.providers.${fault.provider}.oauth.${fault.lacks} "..."`,
        64,
      )
    case 'EQ_LOGIN_UNSAFE_URL':
      return say(
        `models.providers.${fault.provider}.oauth.${fault.field} is not https`,
        'A login goes over https only, except to this machine itself',
        78,
      )
    case 'EQ_LOGIN_TIMEOUT':
      return say(
        `Nobody agreed within ${inWords(fault.waitedMs)}; nothing was changed`,
        `Start again: ${loginCommand(fault.again)}`,
        1,
        408,
      )
    case 'EQ_LOGIN_STATE':
      return say(
        'The answer belongs to another login than the one that was started here; nothing was changed',
        `Start again, and use only the newest page: ${loginCommand(fault.again)}`,
        1,
      )
    case 'EQ_LOGIN_ANSWER':
      return say(
        `That is not the answer of a login page: expected ${fault.expected}`,
        'Copy the whole address that the browser shows at the end, or the code with all of its characters',
        64,
      )
    case 'EQ_LOGIN_DENIED':
      return say(
        `The provider did not agree (${fault.error}${fault.words === '' ? '' : `: ${fault.words}`}); nothing was changed`,
        `If that was not meant, start again: ${loginCommand(fault.again)}`,
        1,
        403,
      )
    case 'EQ_LOGIN_FAILED':
      return say(
        `The login at ${loginFailureWords(fault)}; nothing was changed`,
        `A code serves only once; start again: ${loginCommand(fault.again)}`,
        69,
        502,
      )
    case 'EQ_LOGIN_CONFIG':
      return say(
        `${fault.host} does not accept Equabot's request (${saidAs(fault)}); nothing was changed`,
        `Check models.providers.${fault.provider}.oauth (${CONFIG_FIELDS[fault.error] ?? 'clientId, scopes'}) in the config, then: ${loginCommand(fault.again)}`,
        78,
        502,
      )
    case 'EQ_LOGIN_LIMITED':
      return say(
        `${fault.host} takes no more logins for now (HTTP 429: ${fault.words}); nothing was changed`,
        `Wait${fault.retryAfterMs === undefined ? '' : ` ${inWords(fault.retryAfterMs)}`}, then start again: ${loginCommand(fault.again)}`,
        75,
        429,
      )
    case 'EQ_LOGIN_OTHER_ACCOUNT':
      return say(
        `${fault.profile} is the login of ${fault.was}; this one is of ${fault.is}. Nothing was changed`,
        'Keep both with --profile-id, or replace it with --yes',
        1,
        409,
      )
    case 'EQ_PROGRAM_MISSING':
      return say(`The program ${fault.program} is not on the PATH`, fault.instead, 69, 503)
    case 'EQ_PROGRAM_FAILED':
      return say(
        `${fault.program} ended with ${fault.exit}; nothing was changed`,
        fault.instead,
        1,
        503,
      )
    case 'EQ_IMPORT_MISSING':
      return say(
        `${fault.path} does not exist`,
        'Name the state folder of the other tool, or the file with its logins',
        64,
        404,
      )
    case 'EQ_IMPORT_NOTHING':
      return say(
        `${fault.path} holds no login that can be imported`,
        `Looked for: ${fault.looked}`,
        1,
        404,
      )
    case 'EQ_IMPORT_SELF':
      return say(
        `${fault.path} is Equabot's own state folder`,
        'Name the folder of another tool',
        64,
      )
    case 'EQ_IMPORT_NOT_ONE':
      return say(
        `--profile-id names one login, and there are ${fault.logins.length} to import: ${fault.logins.join(', ')}`,
        'Import them without --profile-id, or give the path of the file that holds the one',
        64,
        400,
      )
    case 'EQ_PROFILE_BORROWED':
      return say(
        `${fault.profile} is the login of ${OWNER_NAMES[fault.origin]}, which Equabot only borrows`,
        `End it there. To leave it out: ${enabledCommand(fault.origin, false)}`,
        64,
        409,
      )
    default:
      return fault satisfies never
  }
}

/** Which fields of config a complaint of the token endpoint is about. @source RFC 6749 5.2 */
const CONFIG_FIELDS: Readonly<Record<string, string>> = {
  invalid_client: 'clientId',
  unauthorized_client: 'clientId',
  invalid_scope: 'scopes',
}

/** Who answered what. */
export function loginFailureWords({
  host,
  status,
  words,
}: Pick<Extract<LoginFault, { code: 'EQ_LOGIN_FAILED' }>, 'host' | 'status' | 'words'>): string {
  return `${host} failed${status === undefined ? '' : ` (HTTP ${status})`}: ${words}`
}

function saidAs({ error, words }: { readonly error: string; readonly words: string }): string {
  // The provider's words begin with its code already.
  return words.startsWith(error) ? words : [error, words].filter((text) => text !== '').join(': ')
}

/** The whole command that starts this login again. */
function loginCommand(again: LoginAgain | undefined): string {
  const options = again
    ? [
        `--provider ${again.provider}`,
        ...(again.profile === undefined ? [] : [`--profile-id ${again.profile}`]),
        ...(again.agent === undefined ? [] : [`--agent ${again.agent}`]),
        ...(again.pasted ? ['--paste'] : []),
      ]
    : ['--provider <id>']
  return `equabot models auth login ${options.join(' ')}`
}
