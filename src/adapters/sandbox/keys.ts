/** The sandbox's keys: what each one makes it do, and the refusals in the words of the providers that it plays. */

/** A refusal, as either dialect needs it. */
export interface Refusal {
  readonly status: number
  readonly anthropicType: string
  readonly openaiCode: string
  readonly message: string
  readonly retryAfterSeconds?: number
}

/** How a request is served. */
export type Behaviour =
  | { readonly kind: 'serve'; readonly slow?: true }
  | { readonly kind: 'refuse'; readonly refusal: Refusal }
  /** The connection is closed after so many events of the stream. */
  | { readonly kind: 'cut'; readonly after: number }
  /** An error event ends the stream after so many events. */
  | { readonly kind: 'error_event'; readonly after: number }
  | { readonly kind: 'hang' }

export interface SandboxKey {
  readonly key: string
  /** What it does, for `equabot sandbox keys`. */
  readonly does: string
}

interface KeyRule extends SandboxKey {
  /** Whole key; where the example bears a number, any number fits. */
  readonly pattern: RegExp
  readonly behave: (number: number) => Behaviour
}

export const OVERLOADED: Refusal = {
  status: 529,
  anthropicType: 'overloaded_error',
  openaiCode: 'server_is_overloaded',
  message: 'Overloaded (sandbox)',
}

const RATE_LIMITED: Refusal = {
  status: 429,
  anthropicType: 'rate_limit_error',
  openaiCode: 'rate_limit_exceeded',
  message: 'Too many requests with this key (sandbox)',
}

const KEY_RULES: readonly KeyRule[] = [
  {
    key: 'sandbox-ok',
    pattern: /^sandbox-ok$/,
    does: 'answers every request',
    behave: () => ({ kind: 'serve' }),
  },
  refusing('sandbox-401', 'refuses as a wrong key', {
    status: 401,
    anthropicType: 'authentication_error',
    openaiCode: 'invalid_api_key',
    message: 'The sandbox refuses the key sandbox-401, as a provider refuses a wrong key',
  }),
  refusing(
    'sandbox-403-claude-code-only',
    "refuses in Anthropic's words for a login that other programs may not use",
    {
      status: 403,
      anthropicType: 'permission_error',
      openaiCode: 'permission_denied',
      message:
        'This credential is only authorized for use with Claude Code and cannot be used for other API requests.',
    },
  ),
  refusing('sandbox-402', 'refuses until somebody pays', {
    status: 402,
    anthropicType: 'billing_error',
    openaiCode: 'insufficient_quota',
    message: 'The account of the key sandbox-402 has no credit left (sandbox)',
  }),
  {
    key: 'sandbox-429-retry-after-30',
    pattern: /^sandbox-429-retry-after-(\d{1,6})$/,
    does: 'asks to wait 30 seconds; any number will do',
    behave: (seconds) => ({
      kind: 'refuse',
      refusal: { ...RATE_LIMITED, retryAfterSeconds: seconds },
    }),
  },
  {
    key: 'sandbox-429',
    pattern: /^sandbox-429$/,
    does: 'asks to wait, without saying how long',
    behave: () => ({ kind: 'refuse', refusal: RATE_LIMITED }),
  },
  refusing('sandbox-500', 'fails as a broken server', {
    status: 500,
    anthropicType: 'api_error',
    openaiCode: 'server_error',
    message: 'Internal server error (sandbox)',
  }),
  refusing('sandbox-529', 'is overloaded', OVERLOADED),
  {
    key: 'sandbox-slow',
    pattern: /^sandbox-slow$/,
    does: 'thinks for 3 seconds before the first word',
    behave: () => ({ kind: 'serve', slow: true }),
  },
  {
    key: 'sandbox-cut-after-3',
    pattern: /^sandbox-cut-after-(\d{1,6})$/,
    does: 'closes the connection after 3 events of a stream; any number will do',
    behave: (after) => ({ kind: 'cut', after }),
  },
  {
    key: 'sandbox-error-event-after-3',
    pattern: /^sandbox-error-event-after-(\d{1,6})$/,
    does: 'breaks a stream off with an error after 3 events; any number will do',
    behave: (after) => ({ kind: 'error_event', after }),
  },
  {
    key: 'sandbox-hang',
    pattern: /^sandbox-hang$/,
    does: 'takes a request and never answers',
    behave: () => ({ kind: 'hang' }),
  },
]

/** The keys with what they do, in the order of the list that users see. */
export const SANDBOX_KEYS: readonly SandboxKey[] = KEY_RULES.map(({ key, does }) => ({ key, does }))

/** What a key makes the sandbox do; undefined when there is no such key. */
export function behaviourOf(key: string): Behaviour | undefined {
  for (const rule of KEY_RULES) {
    const match = rule.pattern.exec(key)
    if (match) return rule.behave(Number(match[1] ?? 0))
  }
  return undefined
}

/** The refusal of a key that the sandbox does not have, or of an access token that has ended. */
export function unauthorized(message: string): Behaviour {
  return {
    kind: 'refuse',
    refusal: {
      status: 401,
      anthropicType: 'authentication_error',
      openaiCode: 'invalid_api_key',
      message,
    },
  }
}

function refusing(key: string, does: string, refusal: Refusal): KeyRule {
  return {
    key,
    pattern: new RegExp(`^${key}$`),
    does,
    behave: () => ({ kind: 'refuse', refusal }),
  }
}
