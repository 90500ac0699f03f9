/** Talks to the gateway that runs on this machine, over its control API. */

import type { IncomingMessage } from 'node:http'
import { request as httpRequest } from 'node:http'
import * as v from 'valibot'
import type { TurnEvent } from '../domain/chat.ts'
import type { Fault } from '../domain/fault.ts'
import { gatewayUrl } from '../domain/gateway-address.ts'
import type { HeardEvent } from '../domain/event.ts'
import type { EventsWish, GatewayClient, GatewayHealth, GatewayRecord } from '../domain/ports.ts'
import type { Result } from '../domain/result.ts'
import { fail, ok } from '../domain/result.ts'
import type { Secret } from '../domain/secret.ts'
import { SECOND_MS } from '../domain/time.ts'
import { CONTROL_ROUTES } from '../wire/control-api.ts'
import { ERROR } from '../wire/control-schema.ts'
import { decodeOrDrop, parseJson } from '../wire/decode.ts'
import { parseHeardEvent } from '../wire/event-json.ts'
import { answeredFault } from '../wire/fault-json.ts'
import { sseEvents } from '../wire/sse.ts'
import { parseTurnEvent, renderTurnRequest } from '../wire/turn-events.ts'

const HEALTH: v.GenericSchema<unknown, GatewayHealth> = v.object({
  version: v.string(),
  uptimeMs: v.number(),
  ready: v.boolean(),
})

/** Longest answer that is no stream, bytes. A status tells of every profile, and there may be many thousands. */
const LONGEST_ANSWER = 64 * 1024 * 1024
/** A stream of events is never silent for so long: its heart beats more often, ms. */
const SILENCE_MS: number = 45 * SECOND_MS

export interface GatewayClientDeps {
  readonly record: GatewayRecord
  readonly token: Secret
}

/** @faults of what it gives: `EQ_GATEWAY_SILENT`, `EQ_CALLER_UNKNOWN`, and the gateway's own as `EQ_GATEWAY_ANSWER` */
export function createGatewayClient({ record, token }: GatewayClientDeps): GatewayClient {
  const url = gatewayUrl(record)

  function silent(detail: string): Fault {
    return { code: 'EQ_GATEWAY_SILENT', pid: record.pid, port: record.port, detail }
  }

  return {
    record,
    url,

    async *turn(request, signal) {
      const { method, path } = CONTROL_ROUTES.chat
      try {
        const answer = await send(
          new URL(path, url),
          { method, token, body: renderTurnRequest(request) },
          signal,
        )
        if (answer.statusCode !== 200) {
          yield failed(await refusal(answer, silent))
          return
        }
        yield* turnEvents(answer, silent)
      } catch (cause) {
        yield failed(signal.aborted ? { code: 'EQ_REQUEST_CANCELLED' } : silent(codeOf(cause)))
      }
    },

    async health() {
      try {
        const answer = await send(new URL('/healthz', url), { method: 'GET', token })
        const parsed = parseJson(await textOf(answer))
        const health = parsed.ok ? decodeOrDrop(HEALTH, parsed.value) : undefined
        return health ? ok(health) : fail(silent(`HTTP ${answer.statusCode}`))
      } catch (cause) {
        return fail(silent(codeOf(cause)))
      }
    },

    async ask(path, signal) {
      try {
        const answer = await send(new URL(path, url), { method: 'GET', token }, signal)
        if (answer.statusCode !== 200) return fail(await refusal(answer, silent))
        const parsed = parseJson(await textOf(answer))
        return parsed.ok ? ok(parsed.value) : fail(silent('its answer is no JSON'))
      } catch (cause) {
        return fail(silent(signal?.aborted ? 'no answer in time' : codeOf(cause)))
      }
    },

    async *events(wish, signal) {
      try {
        const sent = { method: 'GET', token, silenceMs: SILENCE_MS }
        const answer = await send(new URL(eventsPath(wish), url), sent, signal)
        if (answer.statusCode !== 200) yield fail(await refusal(answer, silent))
        else yield* heardEvents(answer)
      } catch (cause) {
        if (!signal.aborted) yield fail(silent(codeOf(cause)))
      }
    },
  }
}

function eventsPath({ since, follow }: EventsWish): string {
  const query = new URLSearchParams({
    ...(since !== undefined && { since }),
    ...(!follow && { follow: 'no' }),
  })
  return `${CONTROL_ROUTES.events.path}?${query.toString()}`
}

async function* heardEvents(
  answer: IncomingMessage,
): AsyncGenerator<Result<HeardEvent, Fault>, void> {
  for await (const sent of sseEvents(answer)) {
    const event = parseHeardEvent(sent)
    if (event) yield ok(event)
  }
}

/** The events up to the last one; a stream that ends before it has failed. Events of a newer gateway are passed over. */
async function* turnEvents(
  answer: IncomingMessage,
  silent: (detail: string) => Fault,
): AsyncGenerator<TurnEvent, void> {
  for await (const sent of sseEvents(answer)) {
    const event = parseTurnEvent(sent)
    if (!event) continue
    yield event
    if (event.type === 'finished' || event.type === 'failed') return
  }
  yield failed(silent('the reply broke off'))
}

async function refusal(answer: IncomingMessage, silent: (detail: string) => Fault): Promise<Fault> {
  const parsed = parseJson(await textOf(answer))
  if (answer.statusCode === 401) return { code: 'EQ_CALLER_UNKNOWN' }
  const said = parsed.ok ? decodeOrDrop(ERROR, parsed.value) : undefined
  return said ? answeredFault(said.error) : silent(`HTTP ${answer.statusCode}`)
}

interface Sent {
  readonly method: string
  readonly token: Secret
  readonly body?: string
  /** Given up when nothing comes for so long, ms. */
  readonly silenceMs?: number
}

/** A bare request of Node's: fetch would give up on a reply that thinks for five minutes. */
function send(url: URL, sent: Sent, signal?: AbortSignal): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const outgoing = httpRequest(
      url,
      {
        method: sent.method,
        agent: false,
        headers: {
          authorization: `Bearer ${sent.token.reveal()}`,
          ...(sent.body !== undefined && { 'content-type': 'application/json' }),
        },
        ...(signal && { signal }),
        ...(sent.silenceMs !== undefined && { timeout: sent.silenceMs }),
      },
      resolve,
    )
    outgoing.on('timeout', () => outgoing.destroy(new Error('silence')))
    outgoing.on('error', reject)
    outgoing.end(sent.body)
  })
}

async function textOf(answer: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of answer) {
    chunks.push(chunk)
    size += chunk.length
    if (size > LONGEST_ANSWER) break
  }
  return Buffer.concat(chunks).toString()
}

function failed(fault: Fault): TurnEvent {
  return { type: 'failed', fault }
}

function codeOf(cause: unknown): string {
  return cause instanceof Error && 'code' in cause ? String(cause.code) : 'no answer'
}
