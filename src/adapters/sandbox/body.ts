/** Bodies of requests to the sandbox. */

import type { IncomingMessage } from 'node:http'
import type { Result } from '../../domain/result.ts'
import { fail, ok } from '../../domain/result.ts'

const LARGEST_BYTES: number = 32 * 1024 * 1024

/** The body as JSON, or as the fields of a form where the request says that it is one. */
export async function readBody(
  request: IncomingMessage,
): Promise<Result<unknown, 'too_large' | 'not_json'>> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    if (!Buffer.isBuffer(chunk)) continue
    bytes += chunk.length
    if (bytes > LARGEST_BYTES) return fail('too_large')
    chunks.push(chunk)
  }
  const text = Buffer.concat(chunks).toString()
  if (request.headers['content-type']?.startsWith('application/x-www-form-urlencoded')) {
    return ok(Object.fromEntries(new URLSearchParams(text)))
  }
  try {
    return ok(JSON.parse(text))
  } catch {
    return fail('not_json')
  }
}
