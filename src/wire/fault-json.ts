/** A fault as programs read it: the same in `--json`, in the control API and in the events of a chat. */

import { explain, shownCode } from '../domain/explain.ts'
import type { Fault } from '../domain/fault.ts'
import type { EpochMs } from '../domain/time.ts'

export interface FaultJson {
  /** Stable, such as `EQ_CREDENTIAL_NONE`; see docs/errors.md. */
  readonly code: string
  readonly message: string
  /** What to do; empty when there is nothing to do. */
  readonly hint: string
  /** Exit code of a command that ends with it. */
  readonly exit: number
  /** HTTP status of an answer that says it. */
  readonly http: number
}

export function faultJson(fault: Fault, now?: EpochMs): FaultJson {
  const { message, hint, exit, http } = explain(fault, now)
  return { code: shownCode(fault), message, hint, exit, http }
}

/** A fault that was read from a gateway. Its words are the gateway's own. */
export function answeredFault({ code, message, hint, exit, http }: FaultJson): Fault {
  return { code: 'EQ_GATEWAY_ANSWER', faultCode: code, message, hint, exit, http }
}
