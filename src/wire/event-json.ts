/**
 * Events as they travel from the gateway to its readers.
 *
 * An id is `<run>-<seq>`: the run tells one life of the gateway from the next, so that a reader who comes back after a
 * restart is told that it has missed something.
 */

import * as v from 'valibot'
import { FAILURE_REASONS } from '../domain/cooldown.ts'
import type { EquabotEvent, EventLevel, Happening, HeardEvent } from '../domain/event.ts'
import { EVENT_LEVELS } from '../domain/event.ts'
import type { EpochMs } from '../domain/time.ts'
import { eventWords, lostEventsWords, streamOpenWords } from '../domain/wording-event.ts'
import { decode, parseJson } from './decode.ts'
import type { SseEvent } from './sse.ts'
import { renderSse } from './sse.ts'

/** Every field of every kind, optional ones included: the compiler holds them equal to the union. */
type Fields<H> = { readonly [F in Exclude<keyof H, 'kind'>]-?: v.GenericSchema }
type FieldsByKind = { readonly [K in Happening['kind']]: Fields<Extract<Happening, { kind: K }>> }

const TEXT = v.string()
const WHEN = v.number()
const REASON = v.picklist(FAILURE_REASONS)
const PAYER = v.object({
  profile: TEXT,
  lane: v.picklist(['subscription', 'metered', 'free']),
})

const FIELDS: FieldsByKind = {
  'credential.expiring': { profile: TEXT, at: WHEN },
  'credential.expired': { profile: TEXT, at: WHEN },
  'credential.renewed': { profile: TEXT, until: v.exactOptional(WHEN) },
  'credential.renewal_failed': { profile: TEXT, code: TEXT },
  'credential.refused': {
    profile: TEXT,
    reason: REASON,
    policy: v.exactOptional(v.boolean()),
  },
  'credential.resting': {
    profile: TEXT,
    scope: v.picklist(['model', 'profile', 'account', 'provider']),
    model: v.exactOptional(TEXT),
    reason: REASON,
    until: WHEN,
  },
  'credential.recovered': { profile: TEXT },
  'lane.crossed': { agent: TEXT, session: v.exactOptional(TEXT), from: PAYER, to: PAYER },
  'all.resting': { agent: TEXT, provider: TEXT, until: WHEN },
  'budget.reached': {
    profile: TEXT,
    period: v.picklist(['daily', 'monthly']),
    limit: v.picklist(['soft', 'hard']),
  },
  'session.pinned': {
    agent: TEXT,
    session: TEXT,
    profile: TEXT,
    source: v.picklist(['user', 'auto']),
  },
  'session.unpinned': { agent: TEXT, session: TEXT, profile: TEXT },
}

/** What a stream says of itself. */
const NOTES = {
  'events.open': { version: TEXT, pid: v.number() },
  'events.lost': { because: v.picklist(['restarted', 'overrun']), lost: v.number() },
} as const

/** Fields of an event beside its own ones. */
const COMMON = { seq: v.number(), when: WHEN, level: v.picklist(['info', 'warn']), words: TEXT }

export interface EventJson {
  readonly kind: string
  readonly words: string
  /** What belongs to this kind. */
  readonly [field: string]: unknown
}

/** The fields of each kind that a reader can meet, notes of the stream included. */
export const EVENT_FIELDS: Readonly<Record<string, Readonly<Record<string, v.GenericSchema>>>> = {
  ...Object.fromEntries(
    Object.entries(FIELDS).map(([kind, fields]) => [kind, { ...COMMON, ...fields }]),
  ),
  'events.open': { ...NOTES['events.open'], words: TEXT },
  'events.lost': { ...NOTES['events.lost'], words: TEXT },
}

export const EVENT: v.GenericSchema<unknown, EventJson> = v.variant(
  'kind',
  Object.entries(EVENT_FIELDS).map(([kind, fields]) =>
    v.object({ kind: v.literal(kind), words: TEXT, ...fields }),
  ),
)

/** Where a reader is: after which event of which run. */
export interface EventPosition {
  readonly run: string
  readonly seq: number
}

export function formatEventId({ run, seq }: EventPosition): string {
  return `${run}-${seq}`
}

export function parseEventId(text: string): EventPosition | undefined {
  const [, run, seq] = /^([0-9a-f]{8})-(\d{1,15})$/.exec(text) ?? []
  return run === undefined || seq === undefined ? undefined : { run, seq: Number(seq) }
}

/** An event as plain data. What is not described here does not get out. */
export function eventJson(event: EquabotEvent): EventJson {
  const { kind, seq, when } = event
  const level: EventLevel = EVENT_LEVELS[kind]
  const given: Readonly<Record<string, unknown>> = { ...event }
  const own = Object.keys(FIELDS[kind]).flatMap((field) =>
    given[field] === undefined ? [] : [[field, given[field]] as const],
  )
  return { seq, when, kind, level, ...Object.fromEntries(own), words: eventWords(event, when) }
}

export function renderEvent(event: EquabotEvent, run: string): string {
  return render({ run, seq: event.seq }, eventJson(event))
}

/** The first thing that a reader gets. @param at where it begins */
export function renderOpen(
  at: EventPosition,
  { version, pid }: { readonly version: string; readonly pid: number },
): string {
  return render(at, { kind: 'events.open', version, pid, words: streamOpenWords(version) })
}

/** Tells a reader that has come back what it does not get. */
export function renderLost(
  at: EventPosition,
  because: 'restarted' | 'overrun',
  lost: number,
): string {
  return render(at, { kind: 'events.lost', because, lost, words: lostEventsWords(because, lost) })
}

/** Keeps connections through idle times open; no reader sees it. */
export const HEARTBEAT = ':\n\n'

function render(at: EventPosition, json: EventJson): string {
  return renderSse({ id: formatEventId(at), event: json.kind, data: JSON.stringify(json) })
}

const HEARD: v.GenericSchema<
  unknown,
  { readonly kind: string; readonly words: string; readonly when?: EpochMs }
> = v.looseObject({ kind: TEXT, words: TEXT, when: v.exactOptional(WHEN) })

/** The event that a server-sent event holds, or undefined when it holds none. */
export function parseHeardEvent({ id, data }: SseEvent): HeardEvent | undefined {
  const parsed = parseJson(data)
  const decoded = parsed.ok ? decode(HEARD, parsed.value) : parsed
  if (!decoded.ok || id === undefined) return undefined
  const { kind, words, when } = decoded.value
  return { id, kind, words, ...(when !== undefined && { when }), data: { ...decoded.value } }
}
