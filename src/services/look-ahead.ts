/**
 * Looks at the beginning of an answer before anybody gets it, so that an error behind a good status still leaves room for
 * another candidate. What was looked at is replayed unchanged, and nothing more is read than its reader asks for.
 */

import type { BeginningWatch, Clock, UpstreamAnswer } from '../domain/ports.ts'
import { SECOND_MS } from '../domain/time.ts'

/** So long the opening of a stream is held back before its first word, ms. */
const LONGEST_HOLD_MS: number = SECOND_MS

export type LookedAt =
  | { readonly kind: 'reply'; readonly answer: UpstreamAnswer }
  | { readonly kind: 'error'; readonly body: string }
  /** It broke off before it said anything; without a cause it ended so in good order, or nobody waits any more. */
  | { readonly kind: 'broken'; readonly cause?: unknown }

export interface LookAheadDeps {
  readonly clock: Pick<Clock, 'sleep'>
  readonly watch: BeginningWatch
  /** Ends the answer when nobody wants it any more, also while a part of it is waited for. */
  readonly abandon: () => void
}

type Step = IteratorResult<Uint8Array, unknown>

/** @param signal of whoever asked */
export async function lookAhead(
  deps: LookAheadDeps,
  answer: UpstreamAnswer,
  signal: AbortSignal,
): Promise<LookedAt> {
  const { clock, watch, abandon } = deps
  // Some answers cannot be looked into.
  if (watch.push(new Uint8Array()).kind === 'reply') return { kind: 'reply', answer }
  const source = answer.body[Symbol.asyncIterator]()
  const held: Uint8Array[] = []
  const over = new AbortController()
  const gone = whenAborted(signal, over.signal)
  const late = clock.sleep(LONGEST_HOLD_MS, over.signal).then(() => 'late' as const)
  let isLate = false
  const reply = (pending?: Promise<Step>): LookedAt => ({
    kind: 'reply',
    answer: { ...answer, body: replayed(held, source, pending, abandon) },
  })

  try {
    for (;;) {
      const coming = source.next()
      let step = await Promise.race(isLate ? [coming, gone] : [coming, gone, late])
      if (step === 'late') {
        isLate = true
        if (watch.streams()) return reply(coming)
        step = await Promise.race([coming, gone])
      }
      if (step === 'gone') {
        hush(coming)
        abandon()
        return { kind: 'broken' }
      }
      if (!step.done) held.push(step.value)
      const said = step.done ? watch.end() : watch.push(step.value)
      if (said.kind === 'cut') return { kind: 'broken' }
      if (said.kind === 'error') {
        if (!step.done) hush(source.return?.())
        return said
      }
      if (said.kind === 'reply' || (isLate && watch.streams())) return reply()
    }
  } catch (cause) {
    return { kind: 'broken', cause }
  } finally {
    over.abort()
  }
}

function whenAborted(signal: AbortSignal, over: AbortSignal): Promise<'gone'> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve('gone')
    signal.addEventListener('abort', () => resolve('gone'), { once: true, signal: over })
  })
}

/** The body from its beginning: what is held already, what is on its way, then the rest as it is asked for. */
function replayed(
  held: Uint8Array[],
  source: AsyncIterator<Uint8Array>,
  onItsWay: Promise<Step> | undefined,
  abandon: () => void,
): AsyncIterable<Uint8Array> {
  let pending = onItsWay
  // It may break before anybody reads it; its reader is told then.
  hush(pending)
  const rest: AsyncIterator<Uint8Array> = {
    async next() {
      const chunk = held.shift()
      if (chunk) return { done: false, value: chunk }
      const coming = pending ?? source.next()
      pending = undefined
      const step = await coming
      return step.done ? { done: true, value: undefined } : step
    },
    async return() {
      held.length = 0
      // What is waited for may never come.
      if (pending) abandon()
      const ended = source.return?.()
      if (pending) hush(ended)
      else await ended
      return { done: true, value: undefined }
    },
  }
  return { [Symbol.asyncIterator]: () => rest }
}

/** Nobody is left whom a failure of it could be told. */
function hush(promise: Promise<unknown> | undefined): void {
  promise?.catch(() => undefined)
}
