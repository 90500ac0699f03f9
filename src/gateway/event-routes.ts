/** `GET /api/events`: what happens, as it happens, to readers that may come back and go on where they were. */

import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import type { Fault } from '../domain/fault.ts'
import type { Result } from '../domain/result.ts'
import { fail, ok } from '../domain/result.ts'
import { SECOND_MS } from '../domain/time.ts'
import type { App } from '../services/app.ts'
import type { Events } from '../services/events.ts'
import type { EventPosition } from '../wire/event-json.ts'
import { HEARTBEAT, parseEventId, renderEvent, renderLost, renderOpen } from '../wire/event-json.ts'
import type { Exchange, Handle } from './exchange.ts'

/** More readers at once are more likely a fault of a client than a wish of its user. */
export const MOST_READERS = 32
/** A reader who leaves more than this unread is cut; it may come back and go on, bytes. */
export const MOST_UNREAD_BYTES: number = 256 * 1024
const HEARTBEAT_MS: number = 15 * SECOND_MS
/** Missed events are written in pieces of so many. */
const PIECE = 50

type EventsApp = Pick<App, 'events' | 'clock' | 'version' | 'pid'>

/** @faults of the handle: `EQ_GATEWAY_READERS` */
export function eventsHandle(app: EventsApp): Handle {
  let readers = 0
  return async function handle(exchange): Promise<Result<void, Fault>> {
    if (readers >= MOST_READERS) return fail({ code: 'EQ_GATEWAY_READERS', most: MOST_READERS })
    readers += 1
    try {
      await tell(app, exchange)
    } finally {
      readers -= 1
    }
    return ok()
  }
}

async function tell(app: EventsApp, exchange: Exchange): Promise<void> {
  const { request, response } = exchange
  const { since, follow } = askedOf(exchange)
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' })
  if (request.method === 'HEAD') {
    response.end()
    return
  }
  // A connection that breaks is seen by its signal.
  response.on('error', () => undefined)
  const over = new AbortController()
  const isOver = AbortSignal.any([exchange.signal, exchange.draining, over.signal])
  const reader: Reader = { app, response, isOver, cut: () => over.abort() }
  response.flushHeaders()
  const reached = await catchUp(reader, begin(reader, since))
  if (follow && !isOver.aborted) await goOn(reader, reached)
  if (!response.destroyed) response.end()
}

interface Reader {
  readonly app: EventsApp
  readonly response: ServerResponse
  /** Aborts when the reader is gone or has been cut, and when the gateway begins to stop. */
  readonly isOver: AbortSignal
  readonly cut: () => void
}

/** Where a reader wants to begin. The header is what browsers and clients send by themselves when they come back. */
function askedOf({ request, search }: Exchange): {
  readonly since: string | undefined
  readonly follow: boolean
} {
  const query = new URLSearchParams(search)
  const header = request.headers['last-event-id']
  const since = (typeof header === 'string' && header) || query.get('since') || undefined
  return { since, follow: query.get('follow') !== 'no' }
}

/** Says hello, and what is lost for good. Gives after which event the reader goes on. */
function begin({ app, response }: Reader, since: string | undefined): number {
  const { events } = app
  const start = startOf(events, since)
  const at: EventPosition = { run: events.run, seq: start.seq }
  response.write(renderOpen(at, app))
  if (start.lost) response.write(renderLost(at, start.lost.because, start.lost.count))
  return start.seq
}

/** Without a wish only what comes; `0`: all that is kept; else what came after that event. */
function startOf(
  events: Events,
  since: string | undefined,
): {
  readonly seq: number
  readonly lost?: { readonly because: 'restarted' | 'overrun'; readonly count: number }
} {
  if (since === undefined) return { seq: events.latest() }
  const oldest = events.since(0).lost
  if (since === '0') return { seq: oldest }
  const position = parseEventId(since)
  const isOurs = position?.run === events.run && position.seq <= events.latest()
  if (!position || !isOurs) return { seq: oldest, lost: { because: 'restarted', count: oldest } }
  const { lost } = events.since(position.seq)
  return lost === 0
    ? { seq: position.seq }
    : { seq: oldest, lost: { because: 'overrun', count: lost } }
}

/** Writes what was missed no faster than it is read. Gives how far the reader has come. */
async function catchUp(reader: Reader, from: number): Promise<number> {
  const { app, response, isOver } = reader
  let reached = from
  while (!isOver.aborted) {
    const { events, lost } = app.events.since(reached)
    if (lost > 0) {
      reached += lost
      response.write(renderLost({ run: app.events.run, seq: reached }, 'overrun', lost))
    }
    const piece = events.slice(0, PIECE)
    const last = piece.at(-1)
    if (!last) break
    reached = last.seq
    const text = piece.map((event) => renderEvent(event, app.events.run)).join('')
    if (!response.write(text)) await drained(reader)
  }
  return reached
}

/** A reader that reads nothing at all for the time of a heartbeat is cut. */
async function drained({ app, response, isOver, cut }: Reader): Promise<void> {
  const waiting = new AbortController()
  const signal = AbortSignal.any([isOver, waiting.signal])
  const drain = once(response, 'drain', { signal }).then(
    () => true,
    () => isOver.aborted,
  )
  const inTime = await Promise.race([
    drain,
    app.clock.sleep(HEARTBEAT_MS, signal).then(() => isOver.aborted),
  ])
  waiting.abort()
  if (inTime) return
  cut()
  response.destroy()
}

/** Writes what happens from now on, until the reader or the gateway ends it. */
async function goOn({ app, response, isOver, cut }: Reader, from: number): Promise<void> {
  const write = (text: string): void => {
    if (isOver.aborted) return
    response.write(text)
    if (response.writableLength <= MOST_UNREAD_BYTES) return
    cut()
    response.destroy()
  }
  const { events, clock } = app
  const stop = events.subscribe((event) => write(renderEvent(event, events.run)))
  for (const event of events.since(from).events) write(renderEvent(event, events.run))
  while (!isOver.aborted) {
    await clock.sleep(HEARTBEAT_MS, isOver)
    write(HEARTBEAT)
  }
  stop()
}
