/** Under which name a request is recorded: that of the key that it came with, else what its sender calls itself. */

import type { IncomingHttpHeaders } from 'node:http'
import type { App } from '../services/app.ts'
import type { Exchange } from './exchange.ts'

/** The product of a user agent without its version, since sums would fall apart at every release: such as `claude-cli`, `Anthropic/JS`, `curl`; `unknown` where there is none. */
export function clientName(userAgent: IncomingHttpHeaders['user-agent']): string {
  const [product = ''] = (userAgent ?? '').trim().split(/[\s(]/)
  const [name = '', kind = ''] = product.split('/')
  if (name === '') return 'unknown'
  return (/^[A-Za-z]+$/.test(kind) ? `${name}/${kind}` : name).slice(0, 40)
}

/** What a holder of the gateway's own token uses must not count as that of a key of the same name. */
export function callerName(
  { caller, request }: Pick<Exchange, 'caller' | 'request'>,
  clients: Pick<App['clients'], 'isTaken'>,
): string {
  if (caller.kind === 'client') return caller.client.name
  const name = clientName(request.headers['user-agent'])
  return clients.isTaken(name) ? `${name} (gateway token)` : name
}
