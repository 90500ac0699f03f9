/** The reply to one message of a conversation: told while it comes, and kept with who gave it. */

import type {
  ChatUsage,
  ReplyEvent,
  TranscriptEntry,
  TurnEvent,
  TurnRequest,
} from '../domain/chat.ts'
import type { Fault } from '../domain/fault.ts'
import { formatModelKey } from '../domain/names.ts'
import { pinAfter } from '../domain/pins.ts'
import type { ChatCodec, Clock, SessionHead, SessionStore } from '../domain/ports.ts'
import type { Protocol } from '../domain/provider.ts'
import type { Result } from '../domain/result.ts'
import { ok } from '../domain/result.ts'
import { failoverWords } from '../domain/wording.ts'
import { crossingWords } from '../domain/wording-choice.ts'
import { brokenOffWords } from '../domain/wording-cut.ts'
import type { Served } from './dispatch.ts'
import { cutFault } from './dispatch.ts'

export interface ReplyDeps {
  readonly sessions: SessionStore
  readonly codecs: Readonly<Partial<Record<Protocol, ChatCodec>>>
  readonly clock: Clock
}

const TITLE_LENGTH = 60

/** A turn with what was said before it in this conversation. */
export interface Turn extends TurnRequest {
  readonly past: readonly TranscriptEntry[]
}

/** Tells the reply as it comes, and keeps what was said. */
export async function* reply(
  deps: ReplyDeps,
  head: SessionHead,
  request: Turn,
  served: Served,
  signal: AbortSignal,
): AsyncIterable<TurnEvent> {
  const { model, candidate, attempts, facts } = served
  yield { type: 'started', model, profile: candidate.id, lane: candidate.lane, attempts }
  for (const text of failoverWords(attempts, candidate)) yield { type: 'notice', text }
  const before = request.past.findLast(({ profile }) => profile !== undefined)?.profile
  // Who goes on paying is no news.
  if (served.crossed && before !== candidate.id) {
    yield { type: 'notice', text: crossingWords(served.crossed) }
  }

  const codec = deps.codecs[facts.protocol]
  const heard: Heard = { text: '', stopReason: '', usage: { inputTokens: 0, outputTokens: 0 } }
  let broken: Fault | undefined
  try {
    for await (const event of codec?.decode(served.answer.body) ?? []) {
      hear(heard, event)
      if (event.type === 'text') yield { type: 'text', text: event.text }
      if (event.type === 'error') broken = cutFault(served, event.words)
    }
  } catch (error) {
    broken = cutFault(served, brokenWords(error))
  }
  if (signal.aborted) broken = { code: 'EQ_REQUEST_CANCELLED' }

  const kept = await keepTurn(deps, head, request, served, heard, broken !== undefined)
  const fault = broken ?? (kept.ok ? undefined : kept.fault)
  if (fault) yield { type: 'failed', fault }
  else yield { type: 'finished', stopReason: heard.stopReason, usage: heard.usage }
}

/** The words of our own decoders; those of a connection may quote what was sent, so its code must do. */
function brokenWords(error: unknown): string {
  if (!(error instanceof Error)) return brokenOffWords(undefined)
  return 'code' in error ? brokenOffWords(String(error.code)) : error.message
}

interface Heard {
  text: string
  stopReason: string
  usage: ChatUsage
}

function hear(heard: Heard, event: ReplyEvent): void {
  if (event.type === 'text') heard.text += event.text
  if (event.type === 'stop') heard.stopReason = event.reason
  if (event.type === 'usage') heard.usage = { ...heard.usage, ...event.usage }
}

/** What was said is kept, also when the reply broke off; a turn without any reply leaves no trace. */
async function keepTurn(
  deps: ReplyDeps,
  head: SessionHead,
  { message, model }: Turn,
  served: Served,
  heard: Heard,
  partial: boolean,
): Promise<Result<void, Fault>> {
  if (partial && heard.text === '') return ok()
  const now = deps.clock.now()
  const entries: readonly TranscriptEntry[] = [
    { at: now, role: 'user', text: message },
    {
      at: now,
      role: 'assistant',
      text: heard.text,
      model: formatModelKey(served.model),
      profile: served.candidate.id,
      usage: heard.usage,
      ...(partial && { partial }),
    },
  ]
  // Another process may have changed the session while the reply came.
  return deps.sessions.update(
    head.agent,
    head.id,
    (latest = head) => {
      // A model for one turn alone ties the session to nobody.
      const pin = model === undefined ? pinAfter(latest.pin, served, served.wanted) : latest.pin
      return {
        ...latest,
        ...(pin && { pin }),
        title: latest.title ?? titleOf(message),
        turns: latest.turns + 1,
        updatedAt: now,
      }
    },
    entries,
  )
}

function titleOf(message: string): string {
  const line = message.trim().split('\n')[0] ?? ''
  return line.length > TITLE_LENGTH ? `${line.slice(0, TITLE_LENGTH - 1)}…` : line
}
