/** Takes the answer to one login, once: from the browser, or from the person. Others are sent away and change nothing. */

import { createHash, timingSafeEqual } from 'node:crypto'
import type { LoginFault } from '../domain/fault.ts'
import type { Clock } from '../domain/ports.ts'
import type { Result } from '../domain/result.ts'
import { fail, ok } from '../domain/result.ts'
import { Secret } from '../domain/secret.ts'
import type { LoginAnswer } from '../wire/login-answer.ts'
import { parseLoginAnswer, readLoginAnswer } from '../wire/login-answer.ts'
import type { CallbackJudge } from './callback-server.ts'

export interface AgreedAnswer {
  readonly code: Secret
  readonly issuer?: string
}

export interface AnswerDesk {
  /** Judges what a browser brought. */
  readonly redirect: CallbackJudge
  /** The parameters that the browser brought, or why there will be none. */
  readonly arrived: Promise<Result<URLSearchParams, LoginFault>>
  /** @faults `EQ_LOGIN_ANSWER`, `EQ_LOGIN_STATE`: the desk stays open; `EQ_LOGIN_DENIED`, `EQ_LOGIN_TIMEOUT` */
  take(text: string, redirectUri: string): Result<AgreedAnswer, LoginFault>
  close(): void
}

export interface Expected {
  readonly state: string
  /** Whom an answer may say that it comes from. */
  readonly issuerOrigin: string
  readonly timeoutMs: number
}

export function createAnswerDesk(clock: Clock, expected: Expected): AnswerDesk {
  let phase: 'open' | 'arrived' | 'taken' | 'expired' = 'open'
  let settle = (_: Result<URLSearchParams, LoginFault>): void => undefined
  const arrived = new Promise<Result<URLSearchParams, LoginFault>>((resolve) => {
    settle = resolve
  })
  const timeout: LoginFault = { code: 'EQ_LOGIN_TIMEOUT', waitedMs: expected.timeoutMs }
  const closing = new AbortController()
  void clock.sleep(expected.timeoutMs, closing.signal).then(() => {
    if (closing.signal.aborted || phase !== 'open') return
    phase = 'expired'
    settle(fail(timeout))
  })

  return {
    arrived,
    close: () => closing.abort(),

    redirect(parameters) {
      const answer = readLoginAnswer(parameters)
      if (phase !== 'open' || !answer || !isMeant(answer, expected)) return 'refused'
      phase = 'arrived'
      const { outcome } = answer
      settle(outcome.kind === 'denied' ? fail(deniedFault(outcome)) : ok(parameters))
      return outcome.kind
    },

    take(text, redirectUri) {
      const answer = parseLoginAnswer(text, redirectUri)
      if (!answer.ok) return fail({ code: 'EQ_LOGIN_ANSWER', expected: answer.fault })
      if (phase === 'expired') return fail(timeout)
      if (phase === 'taken' || !isMeant(answer.value, expected)) {
        return fail({ code: 'EQ_LOGIN_STATE' })
      }
      phase = 'taken'
      const { outcome, issuer } = answer.value
      if (outcome.kind === 'denied') return fail(deniedFault(outcome))
      return ok({ code: new Secret(outcome.code), ...(issuer !== undefined && { issuer }) })
    },
  }
}

function deniedFault({
  error,
  words,
}: Extract<LoginAnswer['outcome'], { kind: 'denied' }>): LoginFault {
  return { code: 'EQ_LOGIN_DENIED', error, words }
}

/** Whether an answer belongs to this login, told in a time that gives nothing of the state away. */
function isMeant({ state, issuer }: LoginAnswer, expected: Expected): boolean {
  if (!timingSafeEqual(digest(state), digest(expected.state))) return false
  // A provider is known here by its addresses; the name that it gives itself must at least be one of theirs.
  if (issuer === undefined) return true
  return URL.canParse(issuer) && new URL(issuer).origin === expected.issuerOrigin
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
