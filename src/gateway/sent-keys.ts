/** What a caller has sent as its key, and whose secret it may be when it is none of ours. */

import type { IncomingMessage } from 'node:http'
import type { MistakenSecret } from '../domain/fault-client.ts'

/** As they were sent: Node's own view folds or drops repeated headers. */
export function headerValues(
  { rawHeaders }: Pick<IncomingMessage, 'rawHeaders'>,
  name: string,
): readonly string[] {
  return rawHeaders.filter(
    (_, index) => index % 2 === 1 && rawHeaders[index - 1]?.toLowerCase() === name,
  )
}

/** In both places where clients put a key: some send it twice, others have two. */
export function sentKeys(caller: Pick<IncomingMessage, 'rawHeaders'>): readonly string[] {
  const bearers = headerValues(caller, 'authorization').flatMap((value) => {
    const match = /^bearer +(\S+) *$/i.exec(value)
    return match?.[1] === undefined ? [] : [match[1]]
  })
  return [...bearers, ...headerValues(caller, 'x-api-key')].filter((key) => key !== '')
}

const MISTAKES: readonly (readonly [RegExp, MistakenSecret])[] = [
  [/^sk-ant-o[ar]t\d/, 'claude_login'],
  [/^sk-ant-/, 'anthropic_key'],
  [/^(?:sk-or-|gsk_|xai-|AIza|csk-|pplx-|nvapi-|r8_|hf_)/, 'other_key'],
  [/^sk-/, 'openai_key'],
  [/^eyJ[\w-]+\.[\w-]+\./, 'signed_token'],
]

/** Whose secret these look like, the first that looks like any. Claude Code sends its own login to any address that it is given. */
export function mistakenSecret(keys: readonly string[]): MistakenSecret | undefined {
  for (const key of keys) {
    const known = MISTAKES.find(([form]) => form.test(key))
    if (known) return known[1]
  }
  return undefined
}
