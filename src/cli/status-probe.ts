/** `models status --probe`: the status with what one real request of each credential came to beside it. */

import type { Fault } from '../domain/fault.ts'
import type { AgentId } from '../domain/names.ts'
import type { ProbeResult } from '../domain/probe.ts'
import { probeExit } from '../domain/probe.ts'
import type { CandidateReport, StatusReport } from '../domain/report.ts'
import type { Result } from '../domain/result.ts'
import { ok } from '../domain/result.ts'
import type { App } from '../services/app.ts'
import type { CommandContext } from './command.ts'
import { DEFAULT_CONCURRENCY, typedTimeout, withProgress } from './probe-options.ts'

export interface ProbedStatus {
  readonly report: StatusReport
  /** What the probes alone exit with. */
  readonly exit: number
}

/** The status is taken after the probes, so that it holds what they have taught. */
export async function probedStatus(
  app: App,
  { terminal, signal }: CommandContext,
  asked: { readonly agent?: AgentId; readonly serving?: boolean },
  timeout: string,
): Promise<Result<ProbedStatus, Fault>> {
  const timeoutMs = typedTimeout(timeout, 'equabot models status')
  if (!timeoutMs.ok) return timeoutMs
  const before = await app.report.status(asked)
  if (!before.ok) return before
  const probed = await withProgress(app, terminal, (onProgress) =>
    app.probe.run({
      agent: before.value.agent,
      providers: before.value.providers.map(({ provider }) => provider),
      timeoutMs: timeoutMs.value,
      concurrency: Number(DEFAULT_CONCURRENCY),
      signal,
      onProgress,
    }),
  )
  if (!probed.ok) return probed
  const after = await app.report.status(asked)
  if (!after.ok) return after
  return ok({
    report: withProbes(after.value, probed.value.results),
    exit: probeExit(probed.value),
  })
}

/** Of two exit codes the one that says the worse: expiring (2) is less than a "no" (1). */
export function severer(a: number, b: number): number {
  const rank = (exit: number): number => (exit === 1 ? 2 : exit === 2 ? 1 : exit)
  return rank(a) >= rank(b) ? a : b
}

function withProbes(report: StatusReport, results: readonly ProbeResult[]): StatusReport {
  const probes = new Map(results.map((result) => [result.candidate.id, result]))
  const probed = (candidate: CandidateReport): CandidateReport => {
    const probe = probes.get(candidate.profile)
    return probe ? { ...candidate, probe } : candidate
  }
  return {
    ...report,
    providers: report.providers.map((provider) => ({
      ...provider,
      candidates: provider.candidates.map(probed),
      ...(provider.effective && { effective: probed(provider.effective) }),
    })),
  }
}
