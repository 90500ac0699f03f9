/** Lines that a person copies to use the gateway from a program of their own. None of them holds a key. */

import type { SetupPlan } from '../services/setup.ts'
import { quoted } from './shell-word.ts'

export interface Snippet {
  readonly title: string
  readonly text: string
}

const ANTHROPIC_MODEL = 'claude-sonnet-5-5'
const OPENAI_MODEL = 'gpt-5.5'

/** @param place of the key, as a person writes it */
export function snippetsFor(plan: SetupPlan, place: string): readonly Snippet[] {
  switch (plan.program) {
    case 'claude-code':
      return [
        {
          title: 'Or for one start only',
          text: `ANTHROPIC_BASE_URL=${plan.url} ANTHROPIC_AUTH_TOKEN="$(cat ${shellPath(place)})" claude`,
        },
      ]
    case 'sdk':
      return sdkSnippets(plan, place)
    case 'curl':
      return curlSnippets(plan, place)
    case 'codex':
    case 'opencode':
      return []
    default:
      return plan.program satisfies never
  }
}

function sdkSnippets({ url, keyPath, models }: SetupPlan, place: string): readonly Snippet[] {
  const anthropic = modelOf(models, 'anthropic-messages', ANTHROPIC_MODEL)
  const openai = modelOf(models, 'openai-chat', OPENAI_MODEL)
  const path = JSON.stringify(keyPath)
  return [
    {
      title: 'By environment, for programs that read it',
      text: [
        `export ANTHROPIC_BASE_URL=${url}`,
        `export ANTHROPIC_AUTH_TOKEN="$(cat ${shellPath(place)})"`,
        `export OPENAI_BASE_URL=${url}/v1`,
        `export OPENAI_API_KEY="$(cat ${shellPath(place)})"`,
      ].join('\n'),
    },
    {
      title: 'TypeScript',
      text: [
        `import Anthropic from '@anthropic-ai/sdk'`,
        `import OpenAI from 'openai'`,
        `import { readFileSync } from 'node:fs'`,
        '',
        `const key = readFileSync(${path}, 'utf8').trim()`,
        `const anthropic = new Anthropic({ baseURL: '${url}', authToken: key, apiKey: null })`,
        `await anthropic.messages.create({ model: '${anthropic}', max_tokens: 100, messages: [{ role: 'user', content: 'hello' }] })`,
        `const openai = new OpenAI({ baseURL: '${url}/v1', apiKey: key })`,
        `await openai.chat.completions.create({ model: '${openai}', messages: [{ role: 'user', content: 'hello' }] })`,
      ].join('\n'),
    },
    {
      title: 'Python',
      text: [
        'from pathlib import Path',
        'from anthropic import Anthropic',
        'from openai import OpenAI',
        '',
        `key = Path(${path}).read_text().strip()`,
        `anthropic = Anthropic(base_url="${url}", auth_token=key)`,
        `anthropic.messages.create(model="${anthropic}", max_tokens=100, messages=[{"role": "user", "content": "hello"}])`,
        `openai = OpenAI(base_url="${url}/v1", api_key=key)`,
        `openai.chat.completions.create(model="${openai}", messages=[{"role": "user", "content": "hello"}])`,
      ].join('\n'),
    },
  ]
}

function curlSnippets({ url, models }: SetupPlan, place: string): readonly Snippet[] {
  const header = `printf 'Authorization: Bearer %s\\n' "$(cat ${shellPath(place)})"`
  const body = (model: string): string =>
    JSON.stringify({ model, max_tokens: 100, messages: [{ role: 'user', content: 'hello' }] })
  const request = (path: string, model: string): string =>
    `${header} | curl -H @- -H 'content-type: application/json' ${url}${path} -d ${quoted(body(model))}`
  return [
    { title: 'Models', text: `${header} | curl -H @- ${url}/v1/models` },
    {
      title: 'In the protocol of Anthropic',
      text: request('/v1/messages', modelOf(models, 'anthropic-messages', ANTHROPIC_MODEL)),
    },
    {
      title: 'In the protocol of OpenAI',
      text: request('/v1/chat/completions', modelOf(models, 'openai-chat', OPENAI_MODEL)),
    },
  ]
}

/** One that the user has, else one that everybody knows. */
function modelOf(models: SetupPlan['models'], protocol: string, usual: string): string {
  return models.find((model) => model.protocol === protocol)?.id ?? usual
}

/** `~` is left to the shell. */
function shellPath(path: string): string {
  if (/^[\w@%+=:,./~-]+$/.test(path)) return path
  return path.startsWith('~/') ? `~/${quoted(path.slice(2))}` : quoted(path)
}
