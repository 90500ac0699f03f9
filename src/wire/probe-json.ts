/** What probes came to as plain data. Every member is named one by one, so nothing of a credential can get out. */

import { formatModelKey } from '../domain/names.ts'
import type { ProbeReport, ProbeResult, ProbeStatus } from '../domain/probe.ts'
import { probeExit } from '../domain/probe.ts'
import type { EpochMs } from '../domain/time.ts'
import { probeFix, probeWords } from '../domain/wording-probe.ts'

export interface ProbeResultJson {
  readonly profile: string
  readonly provider: string
  readonly type: 'api_key' | 'token' | 'oauth' | 'none'
  readonly fingerprint: string
  readonly status: ProbeStatus
  /** Of a skipped one: the code of the reason. */
  readonly reason?: string
  readonly words: string
  /** What to do; absent: nothing. */
  readonly fix?: string
  /** `provider/model`. */
  readonly model?: string
  readonly host: string
  readonly httpStatus?: number
  readonly latencyMs?: number
  readonly retryAfterMs?: number
  /** The code of the fault that left it without access. */
  readonly fault?: string
  readonly renewed?: boolean
  readonly usage?: { readonly inputTokens: number; readonly outputTokens: number }
}

export interface ProbeJson {
  readonly agent: string
  readonly now: EpochMs
  readonly timeoutMs: number
  readonly exit: number
  readonly results: readonly ProbeResultJson[]
}

/** What `models auth probe --json` prints. */
export function probeJson(report: ProbeReport): ProbeJson {
  const { agent, now, timeoutMs, results } = report
  return {
    agent,
    now,
    timeoutMs,
    exit: probeExit(report),
    results: results.map((result) => probeResultJson(result, now)),
  }
}

export function probeResultJson(result: ProbeResult, now: EpochMs | undefined): ProbeResultJson {
  const { candidate, passedOver, model, http, latencyMs, retryAfterMs, fault, usage } = result
  const fix = probeFix(result, now)
  return {
    profile: candidate.id,
    provider: result.provider,
    type: candidate.credential?.type ?? 'none',
    fingerprint: candidate.fingerprint,
    status: result.status,
    ...(passedOver && { reason: passedOver.code }),
    words: probeWords(result, now),
    ...(fix !== '' && { fix }),
    ...(model && { model: formatModelKey(model) }),
    host: result.host,
    ...(http !== undefined && { httpStatus: http }),
    ...(latencyMs !== undefined && { latencyMs }),
    ...(retryAfterMs !== undefined && { retryAfterMs }),
    ...(fault && { fault: fault.code }),
    ...(result.renewed && { renewed: true }),
    ...(usage && {
      usage: { inputTokens: usage.inputTokens, outputTokens: usage.outputTokens },
    }),
  }
}
