/** `models status --probe`: the status with what one real request of each credential came to beside it. */

import { usageKey } from '../domain/cooldown.ts'
import type { Fault } from '../domain/fault.ts'
import type { AgentId } from '../domain/names.ts'
import { parseProfileId } from '../domain/names.ts'
import type { ProbeReport } from '../domain/probe.ts'
import type { Result } from '../domain/result.ts'
import type { App } from '../services/app.ts'
import type { ProbeResultJson } from '../wire/probe-json.ts'
import { probeResultJson } from '../wire/probe-json.ts'
import type { StatusJson } from '../wire/report-json.ts'
import type { CommandContext } from './command.ts'
import { DEFAULT_CONCURRENCY, typedTimeout } from './probe-options.ts'
import { withProgress } from './progress.ts'

/** Probes every credential that the status tells of. The status is taken after it, so that it holds what was learnt. */
export async function probeForStatus(
  app: App,
  { terminal, signal }: CommandContext,
  asked: { readonly agent?: AgentId; readonly serving?: boolean },
  timeout: string,
): Promise<Result<ProbeReport, Fault>> {
  const timeoutMs = typedTimeout(timeout, 'equabot models status')
  if (!timeoutMs.ok) return timeoutMs
  const before = await app.report.status(asked)
  if (!before.ok) return before
  return withProgress(app.clock, terminal, 'Asking …', (tell) =>
    app.probe.run({
      agent: before.value.agent,
      providers: before.value.providers.map(({ provider }) => provider),
      timeoutMs: timeoutMs.value,
      concurrency: Number(DEFAULT_CONCURRENCY),
      signal,
      onProgress: (done, of) => tell(`Asking … ${done} of ${of} answered,`),
    }),
  )
}

/** Of two exit codes the one that says the worse: expiring (2) is less than a "no" (1). */
export function severer(a: number, b: number): number {
  const rank = (exit: number): number => (exit === 1 ? 2 : exit === 2 ? 1 : exit)
  return rank(a) >= rank(b) ? a : b
}

/**
 * The status with what each probe came to beside its credential. Another secret under the same name, such as the one in
 * the environment of the gateway, was not asked.
 */
export function withProbes(status: StatusJson, { results, now }: ProbeReport): StatusJson {
  const probes = new Map<string, ProbeResultJson>(
    results.map((result) => [usageKey(result.candidate), probeResultJson(result, now)]),
  )
  return {
    ...status,
    providers: status.providers.map((provider) => ({
      ...provider,
      candidates: provider.candidates.map((candidate) => {
        const id = parseProfileId(candidate.profile)
        const probe = id && probes.get(usageKey({ id, fingerprint: candidate.fingerprint }))
        return probe ? { ...candidate, probe } : candidate
      }),
    })),
  }
}
