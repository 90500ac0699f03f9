/** Everything that the gateway answers, in one table: what is not here does not exist. */

import type { Fault } from '../domain/fault.ts'
import type { Result } from '../domain/result.ts'
import { fail, ok } from '../domain/result.ts'
import type { Handle } from './exchange.ts'

export interface Route {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'DELETE'
  /** `{name}` stands for one part of the path, `{name*}` at the end for all that follows. */
  readonly path: string
  /** Answers without a token. */
  readonly open?: true
  readonly handle: Handle
}

export interface Match {
  readonly route: Route
  readonly parameters: Readonly<Record<string, string>>
}

/**
 * The route of a request. HEAD is GET without the body.
 *
 * @faults `EQ_ROUTE_UNKNOWN`, `EQ_ROUTE_METHOD`
 */
export function findRoute(
  routes: readonly Route[],
  method: string,
  path: string,
): Result<Match, Fault> {
  const matches = routes.flatMap((route) => {
    const parameters = parametersOf(route.path, path)
    return parameters ? [{ route, parameters }] : []
  })
  const found =
    matches.find(({ route }) => route.method === method) ??
    (method === 'HEAD' ? matches.find(({ route }) => route.method === 'GET') : undefined)
  if (found) return ok(found)
  if (matches.length === 0) return fail({ code: 'EQ_ROUTE_UNKNOWN', method, path })
  const allowed = matches.map(({ route }) => route.method)
  return fail({ code: 'EQ_ROUTE_METHOD', method, path, allowed })
}

function parametersOf(pattern: string, path: string): Record<string, string> | undefined {
  const wanted = pattern.split('/')
  const given = path.split('/')
  const parameters: Record<string, string> = {}
  for (const [index, part] of wanted.entries()) {
    const [, name, rest] = /^\{(\w+)(\*?)\}$/.exec(part) ?? []
    const value = rest === '*' ? given.slice(index).join('/') : given[index]
    if (name === undefined) {
      if (value !== part) return undefined
      continue
    }
    const decoded = decodePart(value)
    if (decoded === undefined) return undefined
    parameters[name] = decoded
    if (rest === '*') return parameters
  }
  return wanted.length === given.length ? parameters : undefined
}

function decodePart(text: string | undefined): string | undefined {
  try {
    return text === undefined || text === '' ? undefined : decodeURIComponent(text)
  } catch {
    return undefined
  }
}
