/** `POST /api/chat`: one message to a session, its reply as events. */

import { pipeline } from 'node:stream/promises'
import type { TurnEvent } from '../domain/chat.ts'
import type { Fault } from '../domain/fault.ts'
import { fail, ok } from '../domain/result.ts'
import type { App } from '../services/app.ts'
import { parseTurnRequest, renderTurnEvent } from '../wire/turn-events.ts'
import type { Handle } from './exchange.ts'
import { readBody } from './exchange.ts'

export function chatHandle(app: Pick<App, 'conversation' | 'clock'>): Handle {
  return async function handle(exchange) {
    const { request, response, signal, ending } = exchange
    const type = request.headers['content-type'] ?? ''
    if (!/^application\/json\s*(?:;|$)/i.test(type)) {
      return fail({
        code: 'EQ_REQUEST_BODY',
        field: 'content-type',
        problem: 'must be application/json',
      })
    }
    const body = await readBody(exchange)
    if (!body.ok) return body
    const turn = parseTurnRequest(body.value.toString())
    if (!turn.ok) return turn

    const events = app.conversation.turn(turn.value, signal)
    let fault: Fault | undefined
    async function* rendered(): AsyncGenerator<string, void> {
      for await (const event of events) {
        const told = ending.aborted ? whyEnded(event, ending.fault) : event
        if (told.type === 'failed') fault = told.fault
        yield renderTurnEvent(told, app.clock.now())
      }
    }

    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' })
    response.flushHeaders()
    try {
      await pipeline(rendered(), response)
    } catch (cause) {
      if (!signal.aborted) throw cause
      fault ??= { code: 'EQ_REQUEST_CANCELLED' }
    }
    return fault ? fail(fault) : ok()
  }
}

/** A turn that the gateway itself ended was not stopped by the user. */
function whyEnded(event: TurnEvent, fault: Fault): TurnEvent {
  const cancelled = event.type === 'failed' && event.fault.code === 'EQ_REQUEST_CANCELLED'
  return cancelled ? { type: 'failed', fault } : event
}
