/** The codecs of a session: its head, one JSON file, and its transcript, one JSON line per message. */

import * as v from 'valibot'

import type { TranscriptEntry } from '../domain/chat.ts'
import type { AgentId, ProfileId, SessionId } from '../domain/names.ts'
import { parseProfileId } from '../domain/names.ts'
import type { SessionHead } from '../domain/ports.ts'
import type { Result } from '../domain/result.ts'
import { fail, ok } from '../domain/result.ts'
import type { Misfit } from './decode.ts'
import { decode, decodeOrDrop, parseJson } from './decode.ts'
import { Instant } from './instant.ts'
import type { TextPosition } from './json-syntax.ts'

const Count = v.pipe(v.number(), v.integer(), v.minValue(0))
const ProfileName = v.custom<ProfileId>(
  (value) => typeof value === 'string' && parseProfileId(value) === value,
  'a name such as anthropic:work',
)

const Head = v.object({
  createdAt: Instant,
  updatedAt: Instant,
  turns: Count,
  title: v.exactOptional(v.string()),
  model: v.exactOptional(v.string()),
  pin: v.exactOptional(
    v.object({
      profile: ProfileName,
      source: v.picklist(['user', 'auto']),
      account: v.exactOptional(
        v.object({
          accountId: v.exactOptional(v.string()),
          email: v.exactOptional(v.string()),
        }),
      ),
    }),
  ),
  startedAt: v.exactOptional(Instant),
})

const Entry: v.GenericSchema<unknown, TranscriptEntry> = v.object({
  at: Instant,
  role: v.picklist(['user', 'assistant']),
  text: v.string(),
  model: v.exactOptional(v.string()),
  profile: v.exactOptional(ProfileName),
  usage: v.exactOptional(v.object({ inputTokens: Count, outputTokens: Count })),
  partial: v.exactOptional(v.boolean()),
})

/** The head in this text. Whose it is, is told by the file's place and not by its content. */
export function parseSessionHead(
  text: string,
  agent: AgentId,
  id: SessionId,
): Result<SessionHead, TextPosition | Misfit> {
  const parsed = parseJson(text)
  if (!parsed.ok) return parsed
  const head = decode(Head, parsed.value)
  if (head.ok) return ok({ id, agent, ...head.value })
  return fail({ ...head.fault, field: head.fault.field || 'the whole file' })
}

export function renderSessionHead(head: SessionHead): string {
  return `${JSON.stringify(head, null, 2)}\n`
}

/** The entries of a transcript. A line that is no entry, such as one that a crash cut short, is left out. */
export function parseTranscript(text: string): readonly TranscriptEntry[] {
  const entries: TranscriptEntry[] = []
  for (const line of text.split('\n')) {
    if (line === '') continue
    const parsed = parseJson(line)
    const entry = parsed.ok ? decodeOrDrop(Entry, parsed.value) : undefined
    if (entry) entries.push(entry)
  }
  return entries
}

export function renderTranscriptLines(entries: readonly TranscriptEntry[]): string {
  return entries.map((entry) => `${JSON.stringify(entry)}\n`).join('')
}
