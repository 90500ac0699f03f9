/** What one answer of a provider says: a reply from its beginning, or why there is none. */

import type { UpstreamFailure } from '../domain/cooldown.ts'
import type {
  Beginnings,
  Clock,
  ReplyJudge,
  UpstreamAnswer,
  UpstreamRequest,
} from '../domain/ports.ts'
import type { ProviderFacts } from '../domain/provider.ts'
import { SECOND_MS } from '../domain/time.ts'
import { lookAhead } from './look-ahead.ts'

export interface HearingDeps {
  readonly judge: ReplyJudge
  /** Absent: every answer with a good status is a reply. */
  readonly beginnings?: Beginnings
  readonly clock: Clock
}

export interface Judged {
  readonly failure: UpstreamFailure
  /** What the provider said of it, secrets taken out. */
  readonly body: string
}

export type Heard =
  | {
      readonly answer: UpstreamAnswer
      /** What an error means that comes later in the same answer. */
      readonly judged: (body: string) => Judged
    }
  | Judged

/** What an answer belongs to. */
export interface Hearing {
  readonly upstream: UpstreamRequest
  /** Of whoever asked. */
  readonly request: AbortSignal
  /** Ends the answer. */
  readonly stalled: AbortController
}

/** Of an error answer no more is read than about this, characters. */
const JUDGED_LENGTH = 64 * 1024
const JUDGING_MS: number = 5 * SECOND_MS
/** A good status alone makes no reply: what comes first decides. */
export async function hear(
  deps: HearingDeps,
  facts: ProviderFacts,
  answer: UpstreamAnswer,
  { upstream, request, stalled }: Hearing,
): Promise<Heard> {
  const { beginnings, clock } = deps
  const judged = (text: string): Judged => {
    const body = withoutSecrets(text, upstream)
    const { status, headers } = answer
    return { failure: deps.judge(facts.protocol, status, headers, body, clock.now()), body }
  }
  if (answer.status < 200 || answer.status >= 300) {
    return judged(await errorBody(deps, answer, stalled))
  }
  if (!beginnings) return { answer, judged }
  const abandon = (): void => stalled.abort()
  const watch = beginnings.watch(answer.headers)
  const looked = await lookAhead({ clock, watch, abandon }, answer, request)
  if (looked.kind === 'reply') return { answer: looked.answer, judged }
  if (looked.kind === 'error') return judged(looked.body)
  return { failure: beginnings.broken(looked.cause, hostOf(facts)), body: '' }
}

/** The host as a person knows it. */
export function hostOf(facts: ProviderFacts): string {
  return facts.keyless === 'sandbox' ? 'the sandbox' : new URL(facts.baseUrl).host
}

/** A provider that repeats what it was sent must not make us repeat it. */
export function withoutSecrets(text: string, { secretHeaders }: UpstreamRequest): string {
  return Object.values(secretHeaders).reduce((cleaned, secret) => {
    const value = secret.reveal()
    const bare = value.replace(/^Bearer /, '')
    return bare === ''
      ? cleaned
      : cleaned.replaceAll(value, '[secret]').replaceAll(bare, '[secret]')
  }, text)
}

/** What an error answer says within a short time: a provider that stalls here must not hold up the next candidate. */
async function errorBody(
  { clock }: HearingDeps,
  answer: UpstreamAnswer,
  stalled: AbortController,
): Promise<string> {
  const read = new AbortController()
  void clock.sleep(JUDGING_MS, read.signal).then(() => stalled.abort())
  try {
    return await beginning(answer.body)
  } finally {
    read.abort()
  }
}

/** The first part of a body; one that breaks off has said what it has said. */
async function beginning(body: AsyncIterable<Uint8Array>): Promise<string> {
  const decoder = new TextDecoder()
  let text = ''
  try {
    for await (const chunk of body) {
      text += decoder.decode(chunk, { stream: true })
      if (text.length >= JUDGED_LENGTH) break
    }
  } catch {
    // A broken error body is judged by what came of it.
  }
  return text + decoder.decode()
}
