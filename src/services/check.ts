/** The judgement of `models status --check` over all agents. */

import type { Fault } from '../domain/fault.ts'
import type { CheckFinding, InUse } from '../domain/health.ts'
import { check, checkServing, unserved } from '../domain/health.ts'
import type { ModelChain } from '../domain/models.ts'
import { modelChain } from '../domain/models.ts'
import type { ProviderId } from '../domain/names.ts'
import type { StatusReport } from '../domain/report.ts'
import type { Result } from '../domain/result.ts'
import { ok } from '../domain/result.ts'
import { agentsOf } from '../domain/settings.ts'
import type { World } from '../domain/world.ts'
import { rankFor } from '../domain/world.ts'
import type { LoadWorld } from './world.ts'

export interface Checked {
  readonly check: StatusReport['check']
  readonly inUse: ReadonlySet<ProviderId>
}

/** Every agent's models in use are judged, unless one agent was named. */
export async function checkAgents(
  loadWorld: LoadWorld,
  world: World,
  onlyThis: boolean,
  serving: boolean,
): Promise<Result<Checked, Fault>> {
  const agents = onlyThis ? [world.agent] : agentsOf(world.settings).map((entry) => entry.id)
  let exit: 0 | 1 | 2 = 0
  let undecided: Fault | undefined
  const findings = new Map<string, CheckFinding>()
  const idle = new Map<string, CheckFinding>()
  const inUse = new Set<ProviderId>()
  for (const agent of agents) {
    const loaded = agent === world.agent ? ok(world) : await loadWorld(agent)
    if (!loaded.ok) return loaded
    const chain = modelChain(loaded.value)
    undecided ??= loaded.value.bookFault ?? (chain.ok ? undefined : chain.fault)
    const used = chain.ok ? modelsInUse(loaded.value, chain.value) : []
    for (const { provider } of used) inUse.add(provider)
    const result = serving ? checkServing(used) : check(used, loaded.value)
    if (result.exit === 1 || (result.exit === 2 && exit === 0)) exit = result.exit
    for (const finding of result.findings) findings.set(keyOf(finding), finding)
    for (const finding of serving ? [] : unserved(used)) {
      idle.set(keyOf(finding), finding)
    }
  }
  const found = {
    exit,
    findings: [...findings.values()],
    // Beside a login that needs the user it would say the same thing twice.
    ...(exit !== 1 && idle.size > 0 && { unserved: [...idle.values()] }),
    ...(undecided && { undecided }),
  }
  return ok({ check: found, inUse })
}

function keyOf({ provider, candidate, problem }: CheckFinding): string {
  return `${candidate?.id ?? provider} ${problem}`
}

/** The sandbox stands in where nothing was set up, which is a missing credential and not a served provider. */
function modelsInUse(world: World, { primary, fallbacks, chosenBy }: ModelChain): readonly InUse[] {
  return [primary, ...fallbacks].map((model, index) => ({
    provider: model.provider,
    ranked: rankFor(world, model),
    needsOwn: index === 0 && chosenBy === 'sandbox',
  }))
}
