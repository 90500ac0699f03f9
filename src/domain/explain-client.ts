/** Why a caller is refused, and what is wrong with the keys of callers, in a user's words. */

import type { Explanation } from './explanation.ts'
import { say } from './explanation.ts'
import type { ClientFault, MistakenSecret } from './fault-client.ts'
import type { EpochMs } from './time.ts'
import { dateText, inWords, relative } from './time.ts'
import { budgetWords } from './wording-ledger.ts'

export function explainClient(fault: ClientFault, now: EpochMs | undefined): Explanation {
  switch (fault.code) {
    case 'EQ_CLIENT_UNKNOWN':
      return say(
        `There is no client "${fault.client}"`,
        `${fault.nearest === undefined ? '' : `Did you mean ${fault.nearest}? `}${fault.known.length > 0 ? `There are: ${fault.known.join(', ')}` : 'There are none; make one: equabot clients add <name>'}`,
        64,
        404,
      )
    case 'EQ_CLIENT_EXISTS':
      return say(
        `There is a client ${fault.client} already`,
        `Give it a new key: equabot clients rotate ${fault.client}`,
        64,
        409,
      )
    case 'EQ_CLIENT_KEY_ABSENT':
      return say(
        `The key of ${fault.client} was shown once and is not kept`,
        `Give it a new one, kept in a file that only you can read: equabot clients rotate ${fault.client} --keep`,
        1,
        409,
      )
    case 'EQ_CLIENT_AGENT':
      return say(
        `The key of ${fault.client} is for agent ${fault.bound}, not ${fault.agent}`,
        `Leave the agent out, or change the key on the gateway's machine: equabot clients show ${fault.client}`,
        77,
        403,
      )
    case 'EQ_CLIENT_MODEL':
      return say(
        `The key of ${fault.client} may not use ${fault.model}`,
        `It may use: ${fault.allowed.join(', ')}`,
        77,
        403,
      )
    case 'EQ_CLIENT_RATE':
      return say(
        `The key of ${fault.client} has asked as often as it may`,
        `Try again in ${inWords(Math.max(1_000, fault.waitMs))}`,
        75,
        429,
      )
    case 'EQ_CLIENT_BUDGET':
      return say(
        `The key of ${fault.client} has used up its budget: ${spentWords(fault, now)}`,
        `It may go on ${relative(fault.budget.until, now)}. See, on the gateway's machine: equabot clients show ${fault.client}`,
        77,
        402,
      )
    case 'EQ_CLIENT_ADMIN_ONLY':
      return say(
        `The key of ${fault.client} opens the model API only`,
        "Use the gateway's own token here; equabot gateway status names its file",
        77,
        403,
      )
    case 'EQ_CLIENT_EXPIRED':
      return say(
        `The key of ${fault.client} ended ${relative(fault.at, now)} (${dateText(fault.at)})`,
        `Give it another: equabot clients rotate ${fault.client} --expires 30d`,
        77,
        401,
      )
    case 'EQ_CLIENT_ENDED':
      return say(
        `The key of ${fault.client} has been revoked or replaced`,
        'Ask whoever runs the gateway for another: equabot clients add <name>',
        77,
        401,
      )
    case 'EQ_CLIENTS_UNREADABLE':
      return say(
        'The keys of this gateway cannot be read at the moment',
        "The gateway's own token still serves. What is wrong, on its machine: equabot clients list",
        65,
        503,
      )
    case 'EQ_CALLER_SECRET':
      return say(
        `What was sent as the key is ${MISTAKEN[fault.what]}, not a key of this gateway. It was not kept and not passed on`,
        fault.what === 'claude_login'
          ? 'Give Claude Code a key of its own: equabot setup claude-code'
          : 'Send a key of this gateway: equabot clients add <name>',
        77,
        401,
      )
    case 'EQ_CALLER_TRIES':
      return say(
        'Too many wrong keys came from this address',
        `A right key still serves. Mend the wrong one: equabot clients list. The next one is looked at in ${inWords(Math.max(1_000, fault.waitMs))}`,
        77,
        429,
      )
    case 'EQ_REQUEST_IDLE':
      return say(
        `The rest of the request did not come within ${inWords(fault.waitedMs)}`,
        'Send it again',
        75,
        408,
      )
    case 'EQ_SETUP_UNSAFE':
      return say(
        `${fault.path} ${unsafeWords(fault)}; it stays as it is`,
        'Make the change by hand: the same command without --write shows it',
        65,
        409,
      )
    default:
      return fault satisfies never
  }
}

const MISTAKEN: Readonly<Record<MistakenSecret, string>> = {
  claude_login: 'the token of a Claude login',
  anthropic_key: 'an API key of Anthropic',
  openai_key: 'an API key of OpenAI or of a server like it',
  signed_token: 'a signed token of another login',
  other_key: 'an API key of another provider',
}

function spentWords(
  { budget }: Extract<ClientFault, { code: 'EQ_CLIENT_BUDGET' }>,
  now: EpochMs | undefined,
): string {
  return budgetWords(
    {
      period: budget.period,
      unit: budget.unit,
      spent: budget.spent,
      max: budget.max,
      until: budget.until,
    },
    now ?? budget.until,
  )
}

function unsafeWords({
  problem,
  field,
}: Extract<ClientFault, { code: 'EQ_SETUP_UNSAFE' }>): string {
  const at = field === undefined ? '' : ` at ${field}`
  switch (problem) {
    case 'syntax':
      return `cannot be read as what it should be${at}`
    case 'shape':
      return `is written in a way that cannot be changed safely${at}`
    case 'in_the_way':
      return `holds ${field ?? 'a setting'}, which would count before the key of this gateway`
    case 'several_lines':
      return 'holds text of several lines, within which nothing can be told from settings'
    case 'several_files':
      return `has a twin of another ending${at}, and either could count`
    default:
      return problem satisfies never
  }
}
