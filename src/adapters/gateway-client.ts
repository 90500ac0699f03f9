/** Talks to the gateway that runs on this machine, over its control API. */

import type { IncomingMessage } from 'node:http'
import { request as httpRequest } from 'node:http'
import * as v from 'valibot'
import type { TurnEvent } from '../domain/chat.ts'
import type { Fault } from '../domain/fault.ts'
import { gatewayUrl } from '../domain/gateway-address.ts'
import type { GatewayClient, GatewayHealth, GatewayRecord } from '../domain/ports.ts'
import { fail, ok } from '../domain/result.ts'
import type { Secret } from '../domain/secret.ts'
import { CONTROL_ROUTES } from '../wire/control-api.ts'
import { ERROR } from '../wire/control-schema.ts'
import { decodeOrDrop, parseJson } from '../wire/decode.ts'
import { answeredFault } from '../wire/fault-json.ts'
import { sseEvents } from '../wire/sse.ts'
import { parseTurnEvent, renderTurnRequest } from '../wire/turn-events.ts'

const HEALTH: v.GenericSchema<unknown, GatewayHealth> = v.object({
  version: v.string(),
  uptimeMs: v.number(),
  ready: v.boolean(),
})

/** Longest answer that is no stream, bytes. */
const LONGEST_ANSWER = 1024 * 1024

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
      },
      resolve,
    )
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
