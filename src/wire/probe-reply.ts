/** What the answer to a probe says: an error whatever its status, a good reply to its end, or one that broke off. */

import type { ChatUsage, ReplyEvent } from '../domain/chat.ts'
import type { UpstreamAnswer } from '../domain/ports.ts'
import type { HearProbe, ProbeHeard } from '../domain/probe.ts'
import { parseJson } from './decode.ts'
import { parseErrorBody } from './error-body.ts'
import { PROBE_DIALECTS } from './probe-dialects.ts'
import { errorWithin } from './reply-error.ts'
import { judgeReply } from './upstream-reply.ts'

/** Of an answer no more is kept for judging than about this, characters. */
const JUDGED_LENGTH = 64 * 1024

/** Models that think first may find one token too few. The credential was taken, and that was the question. */
const TOO_SHORT = /^could not finish the message because max_tokens\b/i

/** @faults none, for any answer; a body that throws is an answer that broke off */
export const hearProbe: HearProbe = async (facts, answer, clean, now) => {
  const judged = (text: string): ProbeHeard => ({
    kind: 'failed',
    failure: judgeReply(facts.protocol, answer.status, answer.headers, clean(text), now),
  })
  const kept: Kept = { text: '', broken: false }
  if (answer.status < 200 || answer.status >= 300) {
    await readAll(keeping(answer.body, kept))
    const isTooShort =
      answer.status === 400 && TOO_SHORT.test(parseErrorBody(kept.text).message.trimStart())
    return isTooShort ? { kind: 'ok' } : judged(kept.text)
  }

  const heard = await hearStream(PROBE_DIALECTS[facts.protocol].decode(keeping(answer.body, kept)))
  if (heard.end === 'error') return judged(errorData(kept.text) ?? kept.text)
  if (heard.end === 'stop') return { kind: 'ok', ...(heard.usage && { usage: heard.usage }) }
  if (kept.broken) return { kind: 'cut' }
  // Some servers do not stream although they were asked to, and some say 200 to everything.
  const whole = parseJson(kept.text)
  if (whole.ok) {
    const error = errorWithin(whole.value, kept.text)
    return error === undefined ? { kind: 'ok' } : judged(error)
  }
  if (kept.text.includes('data:')) return { kind: 'cut' }
  return {
    kind: 'failed',
    failure: {
      reason: 'server_error',
      status: answer.status,
      words: 'answered with something that is no reply of a model',
    },
  }
}

interface Kept {
  text: string
  broken: boolean
}

interface Heard {
  readonly end: 'stop' | 'error' | 'none'
  readonly usage?: ChatUsage
}

async function hearStream(events: AsyncIterable<ReplyEvent>): Promise<Heard> {
  let usage: ChatUsage | undefined
  try {
    for await (const event of events) {
      if (event.type === 'error') return { end: 'error' }
      if (event.type === 'usage') {
        usage = { inputTokens: 0, outputTokens: 0, ...usage, ...event.usage }
      }
      if (event.type === 'stop') return { end: 'stop', ...(usage && { usage }) }
    }
  } catch {
    // Whether the line broke or the dialect is another one is told by what was kept.
  }
  return { end: 'none' }
}

async function* keeping(
  body: UpstreamAnswer['body'],
  kept: Kept,
): AsyncGenerator<Uint8Array, void> {
  const decoder = new TextDecoder()
  try {
    for await (const chunk of body) {
      if (kept.text.length < JUDGED_LENGTH) kept.text += decoder.decode(chunk, { stream: true })
      yield chunk
    }
  } catch (cause) {
    kept.broken = true
    throw cause
  }
}

/** The beginning of an error answer; one that breaks off has said what it has said. */
async function readAll(body: AsyncIterable<Uint8Array>): Promise<void> {
  let length = 0
  try {
    for await (const chunk of body) {
      length += chunk.length
      if (length >= JUDGED_LENGTH) return
    }
  } catch {
    // A broken error body is judged by what came of it.
  }
}

/** The event of a stream that holds its error, in the form of an error answer. */
function errorData(text: string): string | undefined {
  const lines = text.split(/\r\n|\n|\r/).filter((line) => line.startsWith('data:'))
  for (const line of lines.toReversed()) {
    const data = line.slice('data:'.length)
    const parsed = parseJson(data)
    const error = parsed.ok ? errorWithin(parsed.value, data) : undefined
    if (error !== undefined) return error
  }
  return undefined
}
