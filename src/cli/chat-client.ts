/** Who carries a chat's turns: the running gateway, or this process when there is none. Chosen here and nowhere else. */

import type { TurnEvent, TurnRequest } from '../domain/chat.ts'
import type { Fault } from '../domain/fault.ts'
import type { Result } from '../domain/result.ts'
import { ok } from '../domain/result.ts'
import type { App } from '../services/app.ts'

export type Chat = {
  readonly turn: (request: TurnRequest, signal: AbortSignal) => AsyncIterable<TurnEvent>
} & ({ readonly via: 'gateway'; readonly url: string } | { readonly via: 'here' })

/** @faults those of reaching a gateway that runs; that none runs is no fault */
export async function openChat(
  app: Pick<App, 'gatewayClient' | 'conversation'>,
): Promise<Result<Chat, Fault>> {
  const client = await app.gatewayClient()
  if (client.ok) return ok({ via: 'gateway', url: client.value.url, turn: client.value.turn })
  if (client.fault.code !== 'EQ_GATEWAY_DOWN') return client
  return ok({ via: 'here', turn: app.conversation.turn })
}
