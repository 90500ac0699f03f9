/**
 * The shape of `equabot.json` as it stands on disk: no transforms, so that the editor's schema can be made from the
 * same source. What concerns several fields at once is judged in `settings-meaning.ts`. A message completes the sentence
 * that the field's name begins.
 */

import * as v from 'valibot'
import {
  parseAgentId,
  parseAlias,
  parseModelKey,
  parseModelRef,
  parseProfileId,
  parseProviderId,
} from '../domain/names.ts'
import type { Budget } from '../domain/budget.ts'
import type { CredentialType } from '../domain/credential.ts'
import type { Protocol } from '../domain/provider.ts'
import type { Strategy } from '../domain/strategy.ts'
import { STRATEGIES } from '../domain/strategy.ts'
import { BUDGET } from './budget-schema.ts'
import { urlProblem } from './provider-url.ts'

export interface FileModelChoice {
  readonly primary?: string
  readonly fallbacks?: readonly string[]
}

/** Sizes count tokens. */
export interface FileModel {
  readonly id: string
  readonly name?: string
  readonly contextWindow?: number
  readonly maxTokens?: number
}

export interface FileProvider {
  readonly baseUrl?: string
  readonly protocol?: Protocol
  readonly apiKey?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly models?: readonly FileModel[]
  readonly oauth?: {
    readonly authorizeUrl?: string
    readonly tokenUrl?: string
    readonly revokeUrl?: string
    readonly clientId?: string
    readonly scopes?: readonly string[]
    readonly body?: 'form' | 'json'
  }
}

export interface FileAgent {
  readonly id: string
  readonly name?: string
  readonly default?: boolean
  readonly model?: string | FileModelChoice
}

/** The file as plain data. Durations carry their unit in their names. */
export interface SettingsFile {
  readonly $schema?: string
  readonly env?: FileEnvironment
  readonly auth?: {
    readonly profiles?: Readonly<
      Record<
        string,
        {
          readonly provider: string
          readonly mode: CredentialType
          readonly email?: string
          readonly budget?: Budget
        }
      >
    >
    readonly order?: Readonly<Record<string, readonly string[]>>
    readonly warnWithinHours?: number
    readonly foreign?: {
      readonly claudeCode?: {
        readonly enabled?: boolean
        readonly renew?: 'neighbour' | 'owner' | 'never'
      }
      readonly codexCli?: { readonly enabled?: boolean; readonly renew?: 'owner' | 'never' }
    }
    readonly strategy?: Strategy | Readonly<Record<string, Strategy>>
    readonly quotaThreshold?: number
    readonly lanes?: { readonly crossing?: 'announce' | 'deny' }
    readonly waitForRestMs?: number
  }
  readonly models?: { readonly providers?: Readonly<Record<string, FileProvider>> }
  readonly agents?: {
    readonly defaults?: {
      readonly model?: string | FileModelChoice
      readonly models?: Readonly<Record<string, { readonly alias?: string }>>
      readonly aliases?: Readonly<Record<string, string>>
      readonly system?: string
    }
    readonly list?: readonly FileAgent[]
  }
  readonly gateway?: {
    readonly port?: number
    readonly bind?: string
    readonly allowedHosts?: readonly string[]
    readonly allowedOrigins?: readonly string[]
    readonly maxBodyBytes?: number
    readonly drainTimeoutMs?: number
  }
  readonly upstream?: {
    readonly connectTimeoutMs?: number
    readonly firstByteTimeoutMs?: number
    readonly idleTimeoutMs?: number
  }
  readonly ledger?: { readonly keepDays?: number; readonly maxBytes?: number }
}

/** Variables stand in `vars` or, equally, beside it under their own names. */
export type FileEnvironment = {
  readonly shellEnv?: { readonly enabled?: boolean; readonly timeoutMs?: number }
  readonly vars?: Readonly<Record<string, string>>
} & { readonly [name: string]: unknown }

/** Longest delay that a timer can hold, ms. */
const LONGEST_TIMER_MS = 2_147_483_647

const words = v.pipe(v.string(), v.regex(/\S/, 'must not be blank'))
export const VARIABLE_NAME: RegExp = /^[A-Za-z_][A-Za-z0-9_]*$/
export const VARIABLE_NAME_PROBLEM = 'is not a variable name: letters, digits and "_" only'

const variableName = v.pipe(v.string(), v.regex(VARIABLE_NAME, VARIABLE_NAME_PROBLEM))
const headerName = v.pipe(
  v.string(),
  v.regex(/^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/, 'is not a header name'),
)
const headerValue = v.pipe(
  v.string(),
  v.regex(/^[\t\x20-\x7e\x80-\xff]*$/, 'must be one line of Latin text'),
)
const origin = v.pipe(
  v.string(),
  v.regex(/^https?:\/\/[^\s/?#@]+$/, 'must be an origin such as "http://localhost:3000"'),
)
const url = v.pipe(
  v.string(),
  v.rawCheck(({ dataset, addIssue }) => {
    const problem = dataset.typed ? urlProblem(dataset.value) : undefined
    if (problem !== undefined) addIssue({ message: problem })
  }),
)

const providerName = named(parseProviderId, 'is not a provider name')
const profileName = named(parseProfileId, 'is not a profile id: write it as "provider:name"')
const aliasName = named(
  parseAlias,
  'is not an alias: a letter or digit, then also "_", ".", ":" and "-", at most 64',
)
const agentName = named(parseAgentId, 'is not an agent id')
const modelName = named(parseModelRef, 'is not a model or an alias')
const modelKey = named(parseModelKey, 'is not a model: write it as "provider/model"')

const count = wholeNumber(1, Number.MAX_SAFE_INTEGER)
const timeoutMs = wholeNumber(1, LONGEST_TIMER_MS)
const modelChoice = v.union([
  modelName,
  v.strictObject({
    primary: v.exactOptional(modelName),
    fallbacks: v.exactOptional(v.array(modelName)),
  }),
])

const strategy = v.picklist(STRATEGIES)

const environment = v.objectWithRest(
  {
    shellEnv: v.exactOptional(
      v.strictObject({
        enabled: v.exactOptional(v.boolean()),
        timeoutMs: v.exactOptional(timeoutMs),
      }),
    ),
    vars: v.exactOptional(
      v.pipe(
        v.record(variableName, v.string()),
        v.description(
          'Variables for where neither the process nor .env sets them. No secrets here.',
        ),
      ),
    ),
  },
  v.string(),
)

const auth = v.strictObject({
  profiles: v.exactOptional(
    v.record(
      profileName,
      v.strictObject({
        provider: providerName,
        mode: v.picklist(['api_key', 'token', 'oauth']),
        email: v.exactOptional(v.string()),
        budget: v.exactOptional(BUDGET),
      }),
    ),
  ),
  order: v.exactOptional(
    v.pipe(
      v.record(providerName, v.array(profileName)),
      v.description('Which profiles of a provider are tried, in this order and no others.'),
    ),
  ),
  warnWithinHours: v.exactOptional(
    v.pipe(
      v.number(),
      v.minValue(0, 'must not be negative'),
      v.description('A login that ends within this many hours counts as expiring; 24 unless set.'),
    ),
  ),
  foreign: v.exactOptional(
    v.pipe(
      v.strictObject({
        claudeCode: v.exactOptional(
          v.strictObject({
            enabled: v.exactOptional(v.boolean()),
            renew: v.exactOptional(v.picklist(['neighbour', 'owner', 'never'])),
          }),
        ),
        codexCli: v.exactOptional(
          v.strictObject({
            enabled: v.exactOptional(v.boolean()),
            renew: v.exactOptional(v.picklist(['owner', 'never'])),
          }),
        ),
      }),
      v.description('Logins of other programs: whether they are used, and who renews them.'),
    ),
  ),
  strategy: v.exactOptional(
    v.pipe(
      v.union([strategy, v.record(providerName, strategy)]),
      v.description(
        'How credentials take turns, for all providers or by provider: "ordered" always takes the first that can serve, "spread" the least recently used, "sticky" the one that served last. Unless set: the order where there is one, else "spread" within a kind.',
      ),
    ),
  ),
  quotaThreshold: v.exactOptional(
    v.pipe(
      v.number(),
      v.minValue(0, 'must be from 0 to 1'),
      v.maxValue(1, 'must be from 0 to 1'),
      v.description(
        'A profile that has used this share of a limit is spared until the limit resets; 0.98 unless set.',
      ),
    ),
  ),
  lanes: v.exactOptional(
    v.pipe(
      v.strictObject({ crossing: v.exactOptional(v.picklist(['announce', 'deny'])) }),
      v.description(
        'Whether a request that was meant for a subscription may move to a credential that is paid by use: said when it does ("announce"), or not at all ("deny").',
      ),
    ),
  ),
  waitForRestMs: v.exactOptional(
    v.pipe(
      wholeNumber(0, 600_000),
      v.description(
        'How long a request waits for the first credential to be rested, where all rest; 10000 unless set.',
      ),
    ),
  ),
})

const provider = v.strictObject({
  baseUrl: v.exactOptional(
    v.pipe(
      url,
      v.description("As the provider's own SDK takes it. https, or http within your own network."),
    ),
  ),
  protocol: v.exactOptional(v.picklist(['anthropic-messages', 'openai-chat', 'openai-responses'])),
  apiKey: v.exactOptional(
    v.pipe(
      words,
      v.description('A reference such as "${MY_KEY}"; the key itself belongs into .env.'),
    ),
  ),
  headers: v.exactOptional(v.record(headerName, headerValue)),
  models: v.exactOptional(
    v.array(
      v.strictObject({
        id: words,
        name: v.exactOptional(v.string()),
        contextWindow: v.exactOptional(count),
        maxTokens: v.exactOptional(count),
      }),
    ),
  ),
  oauth: v.exactOptional(
    v.strictObject({
      authorizeUrl: v.exactOptional(url),
      tokenUrl: v.exactOptional(url),
      revokeUrl: v.exactOptional(url),
      clientId: v.exactOptional(words),
      scopes: v.exactOptional(v.array(words)),
      body: v.exactOptional(
        v.pipe(
          v.picklist(['form', 'json']),
          v.description('How the token endpoint takes its request; form unless set.'),
        ),
      ),
    }),
  ),
})

const agents = v.strictObject({
  defaults: v.exactOptional(
    v.strictObject({
      model: v.exactOptional(modelChoice),
      models: v.exactOptional(
        v.pipe(
          v.record(modelKey, v.strictObject({ alias: v.exactOptional(aliasName) })),
          v.description(
            'When any are listed, only these, the default and the fallbacks may be used.',
          ),
        ),
      ),
      aliases: v.exactOptional(
        v.pipe(
          v.record(aliasName, modelKey),
          v.description('Short names for models; they restrict nothing.'),
        ),
      ),
      system: v.exactOptional(v.string()),
    }),
  ),
  list: v.exactOptional(
    v.array(
      v.strictObject({
        id: agentName,
        name: v.exactOptional(v.string()),
        default: v.exactOptional(v.boolean()),
        model: v.exactOptional(modelChoice),
      }),
    ),
  ),
})

export const SETTINGS_SCHEMA: v.GenericSchema<SettingsFile> = v.strictObject({
  $schema: v.exactOptional(v.string()),
  env: v.exactOptional(environment),
  auth: v.exactOptional(auth),
  models: v.exactOptional(
    v.strictObject({ providers: v.exactOptional(v.record(providerName, provider)) }),
  ),
  agents: v.exactOptional(agents),
  gateway: v.exactOptional(
    v.strictObject({
      port: v.exactOptional(wholeNumber(0, 65_535)),
      bind: v.exactOptional(words),
      allowedHosts: v.exactOptional(v.array(words)),
      allowedOrigins: v.exactOptional(v.array(origin)),
      maxBodyBytes: v.exactOptional(count),
      drainTimeoutMs: v.exactOptional(wholeNumber(0, LONGEST_TIMER_MS)),
    }),
  ),
  upstream: v.exactOptional(
    v.strictObject({
      connectTimeoutMs: v.exactOptional(timeoutMs),
      firstByteTimeoutMs: v.exactOptional(timeoutMs),
      idleTimeoutMs: v.exactOptional(timeoutMs),
    }),
  ),
  ledger: v.exactOptional(
    v.pipe(
      v.strictObject({
        keepDays: v.exactOptional(wholeNumber(1, 36_500)),
        maxBytes: v.exactOptional(wholeNumber(1_048_576, Number.MAX_SAFE_INTEGER)),
      }),
      v.description('How long requests are kept: 400 days and 512 MiB unless set.'),
    ),
  ),
})

function named(parse: (text: string) => unknown, problem: string): v.GenericSchema<string> {
  return v.pipe(
    v.string(),
    v.check((text) => parse(text) !== undefined, problem),
  )
}

function wholeNumber(least: number, most: number): v.GenericSchema<number> {
  const problem = `must be a whole number from ${least} to ${most}`
  return v.pipe(
    v.number(),
    v.integer(problem),
    v.minValue(least, problem),
    v.maxValue(most, problem),
  )
}
