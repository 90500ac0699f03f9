/** Settings files of programs that are pointed at the gateway: what is ours in them is put in, all else stays as it is. */

import JSON5 from 'json5'
import { isRecord, valueAt } from '../domain/plain-data.ts'
import type { Result } from '../domain/result.ts'
import { fail, ok } from '../domain/result.ts'
import type { EditProgramConfig, OfferedModel, SetupFacts, SetupProblem } from '../domain/setup.ts'
import { editCodexConfig } from './codex-config.ts'
import type { JsonObject } from './decode.ts'
import { rewrite } from './json5-text.ts'

export const editProgramConfig: EditProgramConfig = (program, text, facts) => {
  switch (program) {
    case 'claude-code':
      return editClaudeCode(text, facts)
    case 'opencode':
      return editJson(text, (config) => ok(withOpencodeProviders(config, facts)))
    case 'codex':
      return editCodexConfig(text ?? '', facts)
    default:
      return program satisfies never
  }
}

/**
 * A command as the word of a shell. Claude Code runs it whenever it needs the key.
 */
function printingCommand(path: string): string {
  return `cat '${path.replaceAll("'", `'\\''`)}'`
}

/** Either of these counts before what the helper prints. */
const IN_THE_WAY = ['ANTHROPIC_AUTH_TOKEN', 'ANTHROPIC_API_KEY', 'CLAUDE_CODE_OAUTH_TOKEN']

function editClaudeCode(
  text: string | undefined,
  { url, keyPath }: SetupFacts,
): Result<string, SetupProblem> {
  return editJson(text, (config) => {
    const { env = {} } = config
    if (!isRecord(env)) return fail({ problem: 'shape', field: 'env' })
    const other = IN_THE_WAY.find((name) => typeof env[name] === 'string' && env[name] !== '')
    if (other !== undefined) return fail({ problem: 'in_the_way', field: `env.${other}` })
    return ok({
      ...config,
      apiKeyHelper: printingCommand(keyPath),
      env: { ...env, ANTHROPIC_BASE_URL: url },
    })
  })
}

/** Each speaks one protocol, and a model is best asked in its own. */
const OPENCODE_PROVIDERS = [
  { id: 'equabot', title: 'Equabot', npm: '@ai-sdk/anthropic', protocol: 'anthropic-messages' },
  {
    id: 'equabot-openai',
    title: 'Equabot (OpenAI)',
    npm: '@ai-sdk/openai-compatible',
    protocol: 'openai-chat',
  },
] as const

function withOpencodeProviders(config: JsonObject, facts: SetupFacts): JsonObject {
  const entries = OPENCODE_PROVIDERS.flatMap(({ id, title, npm, protocol }) => {
    const models = facts.models.filter((model) => model.protocol === protocol)
    const known = valueAt(config, ['provider', id])
    if (models.length === 0 && known === undefined) return []
    return [[id, opencodeProvider(known, { title, npm, models }, facts)] as const]
  })
  const others = isRecord(config['provider']) ? config['provider'] : {}
  return {
    $schema: 'https://opencode.ai/config.json',
    ...config,
    provider: { ...others, ...Object.fromEntries(entries) },
  }
}

function opencodeProvider(
  known: unknown,
  ours: { readonly title: string; readonly npm: string; readonly models: readonly OfferedModel[] },
  { url, keyPath }: SetupFacts,
): JsonObject {
  const kept = isRecord(known) ? known : {}
  const options = isRecord(kept['options']) ? kept['options'] : {}
  const models = isRecord(kept['models']) ? kept['models'] : {}
  const offered = ours.models.map(({ id, title }) => [id, { name: title }] as const)
  return {
    name: ours.title,
    ...kept,
    npm: ours.npm,
    options: { ...options, baseURL: `${url}/v1`, apiKey: `{file:${keyPath}}` },
    models: { ...Object.fromEntries(offered), ...models },
  }
}

/** JSON with or without comments. What it says besides stays as its author wrote it. */
function editJson(
  text: string | undefined,
  change: (config: JsonObject) => Result<JsonObject, SetupProblem>,
): Result<string, SetupProblem> {
  const isNew = text === undefined || text.trim() === ''
  const config = isNew ? {} : meaningOf(text)
  if (!isRecord(config)) return fail({ problem: 'syntax' })
  const wanted = change(config)
  if (!wanted.ok) return wanted
  const isEmpty = isNew || /^\s*\{\s*\}\s*$/.test(text)
  if (isEmpty) return ok(`${JSON.stringify(wanted.value, null, 2)}\n`)
  // Where no key stands yet, nothing says how keys are written here.
  if (Object.keys(config).length === 0) return fail({ problem: 'shape' })
  const rewritten = rewrite(text, wanted.value)
  return rewritten === undefined ? fail({ problem: 'shape' }) : ok(rewritten)
}

function meaningOf(text: string): unknown {
  try {
    return JSON5.parse(text)
  } catch {
    return undefined
  }
}
