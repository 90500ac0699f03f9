/** The agents: who they are, what they use; adding and removing them. */

import type { Fault } from '../domain/fault.ts'
import { findModel, modelChain } from '../domain/models.ts'
import type { AgentId, ModelKey } from '../domain/names.ts'
import { formatModelKey, MAIN_AGENT, parseAgentId, parseModelRef } from '../domain/names.ts'
import { isRecord, valueAt } from '../domain/plain-data.ts'
import type { ProfileStore, SessionStore, SettingsStore } from '../domain/ports.ts'
import type { Result } from '../domain/result.ts'
import { fail, ok } from '../domain/result.ts'
import type { Settings } from '../domain/settings.ts'
import { agentsOf, defaultAgent } from '../domain/settings.ts'
import type { World } from '../domain/world.ts'
import type { LoadWorld } from './world.ts'
import { unknownAgent } from '../domain/unknown.ts'

export interface AgentReport {
  readonly id: AgentId
  readonly name?: string
  readonly isDefault: boolean
  readonly model?: string
  readonly fallbacks: readonly string[]
  /** Own profiles; those of `main` are inherited by reference. */
  readonly ownProfiles: number
  readonly inheritedProfiles: number
  readonly sessions: number
  readonly bookPath: string
}

export interface Agents {
  list(): Promise<Result<readonly AgentReport[], Fault>>
  /** @faults `EQ_NAME_INVALID`, `EQ_AGENT_EXISTS`, `EQ_MODEL_UNKNOWN` */
  add(input: {
    readonly id: string
    readonly name?: string
    readonly model?: string
    readonly makeDefault?: boolean
  }): Promise<Result<AgentReport, Fault>>
  /** Forgets the agent in the config. Its folder, with profiles and sessions, stays. */
  remove(
    id: string,
  ): Promise<
    Result<{ readonly id: AgentId; readonly bookPath: string; readonly hadProfiles: number }, Fault>
  >
}

export interface AgentsDeps {
  readonly loadWorld: LoadWorld
  readonly settings: SettingsStore
  readonly profiles: ProfileStore
  readonly sessions: SessionStore
}

export function createAgents(deps: AgentsDeps): Agents {
  return {
    async list() {
      const loaded = await deps.settings.read()
      if (!loaded.ok) return loaded
      const reports: AgentReport[] = []
      for (const { id } of agentsOf(loaded.value.settings)) {
        const report = await agentReport(deps, loaded.value.settings, id)
        if (!report.ok) return report
        reports.push(report.value)
      }
      return ok(reports)
    },

    async add(input) {
      const id = parseAgentId(input.id)
      if (!id) return fail({ code: 'EQ_NAME_INVALID', what: 'agent', text: input.id })
      const loaded = await deps.loadWorld()
      if (!loaded.ok) return loaded
      const { settings } = loaded.value
      if (agentsOf(settings).some((agent) => agent.id === id)) {
        return fail({ code: 'EQ_AGENT_EXISTS', agent: id })
      }
      const model = input.model === undefined ? undefined : modelFor(loaded.value, input.model)
      if (model && !model.ok) return model
      const entry = {
        id,
        ...(input.name !== undefined && { name: input.name }),
        ...(input.makeDefault && { default: true }),
        ...(model && { model: formatModelKey(model.value) }),
      }
      const edited = await deps.settings.edit(({ raw }) => [
        { path: ['agents', 'list'], value: [...withoutDefault(rawList(raw), input), entry] },
      ])
      return edited.ok ? agentReport(deps, edited.value.settings, id) : edited
    },

    async remove(text) {
      const loaded = await deps.settings.read()
      if (!loaded.ok) return loaded
      const id = parseAgentId(text)
      if (!id) return fail({ code: 'EQ_NAME_INVALID', what: 'agent', text })
      if (id === MAIN_AGENT) return fail({ code: 'EQ_AGENT_FIXED', agent: id })
      const known = agentsOf(loaded.value.settings).map((agent) => agent.id)
      if (!known.includes(id)) return fail(unknownAgent(id, known))
      const stored = await deps.profiles.read(id)
      if (!stored.ok) return stored
      const edited = await deps.settings.edit(({ raw }) => [
        { path: ['agents', 'list'], value: rawList(raw).filter((entry) => !isAgent(entry, id)) },
      ])
      if (!edited.ok) return edited
      return ok({
        id,
        bookPath: deps.profiles.path(id),
        hadProfiles: stored.value.book.profiles.size,
      })
    },
  }
}

/** The allow-list does not stand in the way: what an agent is given joins it. */
function modelFor(world: World, text: string): Result<ModelKey, Fault> {
  const ref = parseModelRef(text)
  return ref && !ref.profile
    ? findModel(world, ref)
    : fail({ code: 'EQ_NAME_INVALID', what: 'configured model', text })
}

async function agentReport(
  deps: AgentsDeps,
  settings: Settings,
  id: AgentId,
): Promise<Result<AgentReport, Fault>> {
  const loaded = await deps.loadWorld(id)
  if (!loaded.ok) return loaded
  const heads = await deps.sessions.list(id)
  if (!heads.ok) return heads
  const chain = modelChain(loaded.value)
  const profiles = [...loaded.value.book.profiles.values()]
  const own = profiles.filter((profile) => profile.home === id).length
  const name = settings.agents.list.find((agent) => agent.id === id)?.name
  return ok({
    id,
    ...(name !== undefined && { name }),
    isDefault: defaultAgent(settings) === id,
    ...(chain.ok && { model: formatModelKey(chain.value.primary) }),
    fallbacks: chain.ok ? chain.value.fallbacks.map(formatModelKey) : [],
    ownProfiles: own,
    inheritedProfiles: profiles.length - own,
    sessions: heads.value.heads.length,
    bookPath: deps.profiles.path(id),
  })
}

function rawList(raw: Readonly<Record<string, unknown>>): readonly unknown[] {
  const list = valueAt(raw, ['agents', 'list'])
  return Array.isArray(list) ? list : []
}

/** Only one agent is the default: a new one takes it over. */
function withoutDefault(
  list: readonly unknown[],
  input: { readonly makeDefault?: boolean },
): readonly unknown[] {
  if (!input.makeDefault) return list
  return list.map((entry) => {
    if (!isRecord(entry)) return entry
    const { default: _default, ...rest } = entry
    return rest
  })
}

/** Files spell names as their writer liked. */
function isAgent(entry: unknown, id: AgentId): boolean {
  const text = valueAt(entry, ['id'])
  return typeof text === 'string' && parseAgentId(text) === id
}
