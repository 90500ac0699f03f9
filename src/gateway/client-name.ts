/** What a client calls itself, without its version: sums over clients would fall apart at every release. */

import type { IncomingHttpHeaders } from 'node:http'

/** The product of a user agent, such as `claude-cli`, `Anthropic/JS`, `curl`; `unknown` where there is none. */
export function clientName(userAgent: IncomingHttpHeaders['user-agent']): string {
  const [product = ''] = (userAgent ?? '').trim().split(/[\s(]/)
  const [name = '', kind = ''] = product.split('/')
  if (name === '') return 'unknown'
  return (/^[A-Za-z]+$/.test(kind) ? `${name}/${kind}` : name).slice(0, 40)
}
