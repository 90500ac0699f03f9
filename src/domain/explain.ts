/** Every fault in a user's words: what happened, what to do, how a command exits, how the gateway answers. */

import { explainClient } from './explain-client.ts'
import { explainDispatch } from './explain-dispatch.ts'
import { explainForeign } from './explain-foreign.ts'
import { explainLogin } from './explain-login.ts'
import { explainRenewal } from './explain-renewal.ts'
import { explainTranslation } from './explain-translation.ts'
import type { Fault, StoreFault } from './fault.ts'
import type { Explanation } from './explanation.ts'
import { say } from './explanation.ts'
import type { EpochMs } from './time.ts'
import { inWords } from './time.ts'
import { maskSecrets } from './secret-forms.ts'

/** @param now for ages in the text; they are dates when it is left out */
export function explain(fault: Fault, now?: EpochMs): Explanation {
  switch (fault.code) {
    case 'EQ_USAGE':
      return say(fault.detail, `See: ${fault.command ?? 'equabot'} --help`, 64, 400)
    case 'EQ_NAME_INVALID':
      return say(
        `"${shown(fault.text)}" cannot serve as ${fault.what} name`,
        GRAMMAR[fault.what],
        64,
        400,
      )
    case 'EQ_DURATION_INVALID':
      return say(
        `"${shown(fault.text)}" is not a length of time`,
        'Write it like 365d, 12h or 90m',
        64,
        400,
      )
    case 'EQ_PROVIDER_UNKNOWN':
      return say(
        `There is no provider "${shown(fault.provider)}"`,
        `${meant(fault.nearest)}Known: ${fault.known.join(', ')}. Others go under models.providers in the config`,
        64,
        404,
      )
    case 'EQ_PROFILE_UNKNOWN':
      return say(
        `Agent ${fault.agent} has no profile "${shown(fault.profile)}"`,
        `${meant(fault.nearest)}${fault.known.length > 0 ? `It has: ${fault.known.join(', ')}. ` : ''}See: equabot models auth list`,
        64,
        404,
      )
    case 'EQ_PROFILE_FOREIGN':
      return say(
        `${fault.profile} is not a profile of ${fault.provider}`,
        `Name a profile that begins with ${fault.provider}:`,
        64,
        400,
      )
    case 'EQ_PROFILE_RESERVED':
      return say(
        `${fault.profile} is a name that Equabot gives to keys outside the book`,
        'Choose another name, such as work',
        64,
        400,
      )
    case 'EQ_PROFILE_INHERITED':
      return say(
        `${fault.profile} belongs to agent ${fault.home}; ${fault.agent} only uses it`,
        `Run: equabot models auth remove ${fault.profile} --agent ${fault.home}`,
        64,
        409,
      )
    case 'EQ_AGENT_UNKNOWN':
      return say(
        `There is no agent "${shown(fault.agent)}"`,
        `${meant(fault.nearest)}Known: ${fault.known.join(', ')}. Add one: equabot agents add <id>`,
        64,
        404,
      )
    case 'EQ_AGENT_EXISTS':
      return say(`There is an agent ${fault.agent} already`, 'See: equabot agents list', 64, 409)
    case 'EQ_AGENT_FIXED':
      return say(
        `Agent ${fault.agent} cannot be removed`,
        'Remove its profiles instead: equabot models auth list',
        64,
        409,
      )
    case 'EQ_SESSION_UNKNOWN':
      return say(
        `Agent ${fault.agent} has no session "${shown(fault.session)}"`,
        `${meant(fault.nearest)}See: equabot sessions list`,
        64,
        404,
      )
    case 'EQ_MODEL_UNKNOWN':
      return say(
        `No known provider serves a model "${shown(fault.model)}"`,
        `${fault.nearest.length > 0 ? `Did you mean ${fault.nearest.join(', ')}? ` : ''}Write it as provider/model; see: equabot models list`,
        64,
        404,
      )
    case 'EQ_MODEL_AMBIGUOUS':
      return say(
        `"${shown(fault.model)}" may mean several models: ${fault.matches.map(({ model, score }) => `${model} (${score})`).join(', ')}`,
        'Type more of the name, or its number in /model; the scores say how like it is, 100 at most',
        64,
        400,
      )
    case 'EQ_MODEL_NOT_ALLOWED':
      return say(
        `${fault.model} is not in the allow-list (agents.defaults.models)`,
        `Allowed: ${fault.allowed.join(', ')}`,
        64,
        403,
      )
    case 'EQ_MODEL_NO_DEFAULT':
      return say(
        `No default model is known for ${fault.provider}`,
        `Run: equabot models set ${fault.provider}/<model>`,
        78,
        400,
      )
    case 'EQ_ALIAS_TAKEN':
      return say(
        `The alias ${fault.alias} stands for ${fault.model}`,
        `Remove it first: equabot models aliases remove ${fault.alias}`,
        64,
        409,
      )
    case 'EQ_ALIAS_UNKNOWN':
      return say(
        `There is no alias "${shown(fault.alias)}"`,
        knownList(fault.known, 'equabot models aliases list'),
        64,
        404,
      )
    case 'EQ_FALLBACK_UNKNOWN':
      return say(
        `${shown(fault.model)} is not a fallback`,
        knownList(fault.known, 'equabot models fallbacks list'),
        64,
        404,
      )
    case 'EQ_ORDER_EMPTY':
      return say(
        `An order for ${fault.provider} needs at least one profile`,
        `To remove the order: equabot models auth order clear --provider ${fault.provider}`,
        64,
        400,
      )
    case 'EQ_CONFIRM_NEEDED':
      return say(`Not done: ${fault.what}`, 'Add --yes to do it without being asked', 64, 400)

    case 'EQ_SECRET_EMPTY':
      return say('Nothing was pasted', 'Paste it, or pipe it in on standard input', 64, 400)
    case 'EQ_SECRET_CHARACTERS':
      return say(
        `Character ${fault.position} of the secret is not a visible ASCII character`,
        'Copy it again; only the secret itself, without words around it',
        64,
        400,
      )
    case 'EQ_SECRET_TRUNCATED':
      return say(
        `The secret is cut off: a ${fault.prefix}… has at least ${fault.minLength} characters, this has ${fault.length}`,
        'Copy it again, all lines of it; line breaks inside are removed for you',
        64,
        400,
      )
    case 'EQ_SECRET_PLACEHOLDER':
      return say('That is a placeholder, not a secret', 'Paste the real key or token', 64, 400)
    case 'EQ_SECRET_FOREIGN':
      return say(
        `A ${fault.prefix}… is a secret of ${fault.owner}, not of ${fault.provider}`,
        `If that is meant: equabot models auth paste-token --provider ${fault.owner}`,
        64,
        400,
      )
    case 'EQ_SECRET_KEY':
      return say(
        `A ${fault.prefix}… is an API key, not a setup-token`,
        `Paste the token that was shown. To store that key: equabot models auth paste-token --provider ${fault.provider}`,
        64,
        400,
      )
    case 'EQ_SECRET_TOO_LONG':
      return say(
        `The secret is longer than ${fault.maxLength} characters`,
        'Paste only the key or token',
        64,
        400,
      )
    case 'EQ_PROMPT_NO_TTY':
      return say('This needs a terminal to ask in', fault.instead, 64, 400)
    case 'EQ_INTERRUPTED':
      return say('Interrupted; nothing was changed', '', 130, 499)

    case 'EQ_HOME_MISSING':
      return say(
        'HOME is not set, so there is no place for the state folder',
        'Set HOME, or EQUABOT_STATE_DIR=/path/to/folder',
        78,
        500,
      )
    case 'EQ_STORE_UNREADABLE':
      if (fault.errno === 'EFBIG') {
        return say(
          `${fault.path} is too large to be what it should be`,
          'Look at it, and move it away',
          65,
          503,
        )
      }
      return say(
        `Cannot read ${fault.path} (${fault.errno})`,
        `Check owner and mode: ls -l ${fault.path}`,
        77,
        503,
      )
    case 'EQ_STORE_SYNTAX':
      return say(
        `${fault.path} is not valid JSON: line ${fault.line}, column ${fault.column}. It was left as it is`,
        restoreHint(fault),
        65,
        503,
      )
    case 'EQ_STORE_FIELD':
      return say(
        `${fault.path}: ${fault.field} must be ${fault.expected}. The file was left as it is`,
        restoreHint(fault),
        65,
        503,
      )
    case 'EQ_STORE_NEWER':
      return say(
        `${fault.path} has version ${fault.version}; this program knows up to ${fault.supported}`,
        'Use the newer Equabot that wrote it. Nothing was changed',
        65,
        503,
      )
    case 'EQ_STORE_LOCKED':
      return say(
        `Another process has held ${fault.path} for ${inWords(fault.waitedMs)}`,
        'Try again; the lock frees itself when that process ends',
        75,
        503,
      )
    case 'EQ_STORE_UNWRITABLE':
      return say(
        `Cannot write ${fault.path} (${fault.errno}). Nothing was changed`,
        writeHint(fault.errno),
        77,
        507,
      )
    case 'EQ_STORE_UNSAFE':
      return say(
        `${fault.path} is not used: ${UNSAFE[fault.problem]}`,
        `Look at it: ls -l ${fault.path}`,
        77,
        503,
      )
    case 'EQ_STORE_NO_PREVIOUS':
      return say(
        `There is no good earlier copy of ${fault.path}`,
        'Mend the file by hand, or move it away and log in again',
        65,
        503,
      )
    case 'EQ_LOCK_UNAVAILABLE':
      return say(
        `This system offers no file lock: ${fault.detail}`,
        'Reinstall Equabot on this machine: npm ci',
        70,
        500,
      )

    case 'EQ_LEDGER_DAMAGED':
      return say(
        `${fault.path} is no database, or a damaged one`,
        'The next request sets it aside, whole, and begins a new one: equabot agent --message hello',
        65,
        500,
      )
    case 'EQ_LEDGER_UNAVAILABLE':
      return say(
        `No database runs on this system (${fault.detail}): requests are not recorded`,
        'Use Node 22.13 or newer, which brings one, or reinstall Equabot on this machine',
        69,
        500,
      )

    case 'EQ_CONFIG_SYNTAX':
      return say(
        `${fault.path}, line ${fault.line}, column ${fault.column}: ${fault.detail}`,
        'Mend that line. The file was left as it is',
        78,
        503,
      )
    case 'EQ_CONFIG_FIELD':
      if (fault.refused) {
        return say(
          `Not written: ${fault.field} ${fault.problem}. ${fault.path} is as it was`,
          meant(fault.nearest).trim(),
          78,
          503,
        )
      }
      return say(
        `${fault.path}${fault.line === undefined ? '' : `, line ${fault.line}`}: ${fault.field} ${fault.problem}`,
        `${meant(fault.nearest)}Check with: equabot config validate`,
        78,
        503,
      )
    case 'EQ_CONFIG_KEY_UNSET':
      return say(
        `${fault.field} is not set in ${fault.path}`,
        'See what is: equabot config get',
        1,
        404,
      )
    case 'EQ_CONFIG_SECRET':
      return say(
        `${fault.field} would put a secret into ${fault.path}`,
        'Put the secret into ~/.equabot/.env and refer to it here as ${NAME}',
        64,
        400,
      )

    case 'EQ_FOREIGN_BLANK':
    case 'EQ_FOREIGN_SYNTAX':
    case 'EQ_FOREIGN_FIELD':
    case 'EQ_FOREIGN_UNREADABLE':
    case 'EQ_FOREIGN_OPEN':
    case 'EQ_FOREIGN_LINK':
    case 'EQ_FOREIGN_KIND':
    case 'EQ_FOREIGN_OWNER':
    case 'EQ_FOREIGN_KEY_ONLY':
    case 'EQ_FOREIGN_NOT_STORED':
    case 'EQ_KEYCHAIN_LOCKED':
    case 'EQ_KEYCHAIN_DENIED':
    case 'EQ_KEYCHAIN_SILENT':
    case 'EQ_KEYCHAIN_FAILED':
      return explainForeign(fault, explain)
    case 'EQ_GRANT_DEAD':
    case 'EQ_GRANT_SPENT':
    case 'EQ_GRANT_NONE':
    case 'EQ_RENEWAL_NOT_SENT':
    case 'EQ_RENEWAL_PUT_OFF':
    case 'EQ_RENEWAL_CONFIG':
    case 'EQ_RENEWAL_LOST':
    case 'EQ_RENEWAL_ACCOUNT':
    case 'EQ_RENEWAL_KEPT':
    case 'EQ_RENEWAL_BUSY':
    case 'EQ_RENEWAL_GOES_ON':
    case 'EQ_RENEWAL_OWNERS':
    case 'EQ_RENEWAL_LEFT_OUT':
    case 'EQ_RENEWAL_HELPER':
      return explainRenewal(fault, now)
    case 'EQ_LOGIN_UNSUPPORTED':
    case 'EQ_LOGIN_UNSAFE_URL':
    case 'EQ_LOGIN_TIMEOUT':
    case 'EQ_LOGIN_STATE':
    case 'EQ_LOGIN_ANSWER':
    case 'EQ_LOGIN_DENIED':
    case 'EQ_LOGIN_FAILED':
    case 'EQ_LOGIN_CONFIG':
    case 'EQ_LOGIN_LIMITED':
    case 'EQ_LOGIN_OTHER_ACCOUNT':
    case 'EQ_PROGRAM_MISSING':
    case 'EQ_PROGRAM_FAILED':
    case 'EQ_IMPORT_MISSING':
    case 'EQ_IMPORT_NOTHING':
    case 'EQ_IMPORT_SELF':
    case 'EQ_IMPORT_NOT_ONE':
    case 'EQ_PROFILE_BORROWED':
      return explainLogin(fault)

    case 'EQ_GATEWAY_RUNNING':
      return say(
        `A gateway of this state folder is running already: pid ${fault.pid}, port ${fault.port}`,
        `Use it: equabot gateway status. Or stop it: kill ${fault.pid}`,
        75,
        409,
      )
    case 'EQ_GATEWAY_PORT':
      return say(
        fault.errno === 'EADDRINUSE'
          ? `Port ${fault.port} on ${fault.bind} is taken by another program`
          : `Cannot listen on ${fault.bind} port ${fault.port} (${fault.errno})`,
        PORT_HINTS[fault.errno] ??
          'Choose an address of this machine: equabot gateway run --bind 127.0.0.1',
        PORT_EXITS[fault.errno] ?? 64,
        503,
      )
    case 'EQ_GATEWAY_DOWN':
      return say(
        `No gateway is running on ${fault.stateDir}`,
        'Start it: equabot gateway run',
        69,
        503,
      )
    case 'EQ_GATEWAY_SILENT':
      return say(
        `The gateway (pid ${fault.pid}, port ${fault.port}) does not answer: ${fault.detail}`,
        `Stop it and start it again: kill ${fault.pid}; equabot gateway run`,
        69,
        503,
      )
    case 'EQ_GATEWAY_READERS':
      return say(
        `${fault.most} readers follow the events of this gateway already`,
        'End one of them, or try again later',
        75,
        503,
      )
    case 'EQ_CALLER_UNKNOWN':
      return say(
        'The key of this gateway is missing or wrong',
        'Send it as Authorization: Bearer. Make one: equabot clients add <name>; equabot gateway status names the file of the first one',
        77,
        401,
      )
    case 'EQ_CALLER_HOST':
      return say(
        `The Host "${shown(fault.host)}" is not one of this gateway's names`,
        'Call it as 127.0.0.1, or add the name to gateway.allowedHosts',
        77,
        421,
      )
    case 'EQ_CALLER_ORIGIN':
      return say(
        `Pages of the origin "${shown(fault.origin)}" may not call this gateway`,
        'Add it to gateway.allowedOrigins if it is yours',
        77,
        403,
      )
    case 'EQ_ROUTE_UNKNOWN':
      return say(
        `There is no ${fault.method} ${shown(fault.path)} here`,
        'See GET /api/openapi.json',
        64,
        404,
      )
    case 'EQ_ROUTE_METHOD':
      return say(
        `${shown(fault.path)} takes ${fault.allowed.join(', ')}, not ${fault.method}`,
        'See GET /api/openapi.json',
        64,
        405,
      )
    case 'EQ_REQUEST_BODY':
      return say(`${fault.field}: ${fault.problem}`, 'Mend the request body', 64, 400)
    case 'EQ_REQUEST_TOO_LARGE':
      return say(
        `The request body is larger than ${fault.maxBytes} bytes`,
        'Raise gateway.maxBodyBytes if that is meant',
        64,
        413,
      )
    case 'EQ_REQUEST_ENCODING':
      return say(
        `A request body in content-encoding ${shown(fault.encoding)} is not read here`,
        'Send it uncompressed',
        64,
        415,
      )
    case 'EQ_REQUEST_PROTOCOL':
      return say(
        `${fault.model} speaks ${fault.spoken}; this request is ${fault.asked}`,
        `Send it to ${fault.path}, or choose a model that speaks ${fault.asked}`,
        64,
        400,
      )
    case 'EQ_GATEWAY_STOPPING':
      return say('The gateway is stopping', 'Try again when it is back', 75, 503)
    case 'EQ_GATEWAY_ANSWER':
      return say(fault.message, fault.hint, fault.exit, fault.http)

    case 'EQ_CLIENT_UNKNOWN':
    case 'EQ_CLIENT_EXISTS':
    case 'EQ_CLIENT_KEY_ABSENT':
    case 'EQ_CLIENT_AGENT':
    case 'EQ_CLIENT_MODEL':
    case 'EQ_CLIENT_RATE':
    case 'EQ_CLIENT_BUDGET':
    case 'EQ_CLIENT_ADMIN_ONLY':
    case 'EQ_CLIENT_EXPIRED':
    case 'EQ_CLIENT_ENDED':
    case 'EQ_CLIENTS_UNREADABLE':
    case 'EQ_CALLER_SECRET':
    case 'EQ_CALLER_TRIES':
    case 'EQ_REQUEST_IDLE':
    case 'EQ_SETUP_UNSAFE':
      return explainClient(fault, now)
    case 'EQ_REQUEST_UNCARRIED':
    case 'EQ_UPSTREAM_UNREADABLE':
      return explainTranslation(fault)

    case 'EQ_CREDENTIAL_NONE':
    case 'EQ_CREDENTIAL_RESTING':
    case 'EQ_PIN_UNUSABLE':
    case 'EQ_UPSTREAM_REJECTED':
    case 'EQ_UPSTREAM_FAILED':
    case 'EQ_UPSTREAM_CUT':
    case 'EQ_REQUEST_CANCELLED':
    case 'EQ_SESSION_BUSY':
      return explainDispatch(fault, now, explain)

    case 'EQ_SLASH_UNKNOWN':
      return say(
        `There is no command /${shown(fault.command)}`,
        `${meant(fault.nearest, '/')}/help lists them`,
        64,
        400,
      )
    case 'EQ_SLASH_ARGUMENT':
      return say(
        `/${fault.command} cannot take "${shown(fault.text)}"`,
        fault.command === 'model'
          ? 'Write /model <model or alias>[@<profile>]; /model lists the models'
          : '/help shows what it takes',
        64,
        400,
      )
    case 'EQ_SLASH_NUMBER':
      return say(
        `There is no number ${fault.number}; the list has ${fault.count}`,
        '/model shows the list',
        64,
        400,
      )

    case 'EQ_INTERNAL':
      return say(
        `A fault of Equabot itself: ${fault.detail}`,
        'Please report it, with what you did before',
        70,
        500,
      )
    default:
      return fault satisfies never
  }
}

/** The code to show: that of the fault itself where a gateway passed it on. */
export function shownCode(fault: Fault): string {
  return fault.code === 'EQ_GATEWAY_ANSWER' ? fault.faultCode : fault.code
}

const GRAMMAR: Readonly<Record<Extract<Fault, { code: 'EQ_NAME_INVALID' }>['what'], string>> = {
  provider: 'Use letters, digits, dot, dash and underscore, such as anthropic',
  profile: 'Write it as provider:name, such as anthropic:work',
  agent: 'Use letters, digits, dash and underscore, such as research',
  session: 'Use letters, digits, dash and underscore, such as monday',
  client: 'Use letters, digits, dash and underscore, such as laptop',
  model: 'Write it as provider/model, an alias, or either with @provider:name',
  'configured model': 'Write it as provider/model or an alias. In the config it takes no profile',
  alias: 'Begin with a letter or a digit; dot, dash, underscore and colon may follow, such as opus',
}

const ANOTHER_PORT =
  'Choose another port: equabot gateway run --port 18790, or --port 0 for any free one'
const PORT_HINTS: Readonly<Record<string, string>> = {
  EADDRINUSE: ANOTHER_PORT,
  EACCES: ANOTHER_PORT,
}
const PORT_EXITS: Readonly<Record<string, number>> = { EADDRINUSE: 75, EACCES: 77 }

const UNSAFE: Readonly<Record<Extract<Fault, { code: 'EQ_STORE_UNSAFE' }>['problem'], string>> = {
  symlink: 'it is a symbolic link that leads to a file which is not yours',
  not_a_file: 'it is not a regular file',
  hard_links: 'it has several names (hard links)',
  other_owner: 'it belongs to another user',
  not_ours: 'it is nothing that Equabot makes',
}

function restoreHint(
  fault: Extract<StoreFault, { code: 'EQ_STORE_SYNTAX' | 'EQ_STORE_FIELD' }>,
): string {
  if (fault.previous === undefined) return 'Mend it by hand; there is no earlier copy'
  const how = fault.agent ? `equabot models auth restore --agent ${fault.agent}` : 'copy it over'
  return `The last good copy is ${fault.previous}. Put it back: ${how}`
}

function writeHint(errno: string): string {
  if (errno === 'ENOSPC' || errno === 'EDQUOT')
    return 'The disk is full: free some space and try again'
  if (errno === 'EROFS')
    return 'The folder is read-only: set EQUABOT_STATE_DIR to one that can be written'
  return 'Check the owner and mode of the folder, or set EQUABOT_STATE_DIR to another one'
}

function meant(nearest: string | undefined, before = ''): string {
  return nearest === undefined ? '' : `Did you mean ${before}${nearest}? `
}

function knownList(known: readonly string[], command: string): string {
  return known.length > 0 ? `There are: ${known.join(', ')}` : `There are none; see: ${command}`
}

/** What a user or a file wrote, safe and short enough for one line of a message. It may be a misplaced secret. */
function shown(text: string): string {
  const printable = maskSecrets(text).replace(/[^\x20-\x7e\u00a1-\u024f]/g, '?')
  return printable.length > 80 ? `${printable.slice(0, 79)}…` : printable
}
