/** Setup-tokens: a program of the provider's shows one at the terminal, a person pastes it, and it serves for a year. */

import { isExpired } from '../domain/credential.ts'
import type { Fault } from '../domain/fault.ts'
import { FOREIGN_PROFILES } from '../domain/foreign.ts'
import type { AgentId, ProfileId } from '../domain/names.ts'
import { formatModelKey, profileId, providerOf } from '../domain/names.ts'
import { modelChain } from '../domain/models.ts'
import type { ChatCodec, Clock, TerminalProgram } from '../domain/ports.ts'
import type { Protocol, ProviderFacts, SetupTokenFacts } from '../domain/provider.ts'
import type { Result } from '../domain/result.ts'
import { fail, ok } from '../domain/result.ts'
import type { Origin } from '../domain/profile.ts'
import { setupTokenByHandWords } from '../domain/wording.ts'
import type { World } from '../domain/world.ts'
import { isReserved } from '../domain/world.ts'
import { unspoken } from './conversation.ts'
import type { Dispatch, Served } from './dispatch.ts'
import { cutFault } from './dispatch.ts'
import type { StoredSecret, Vault } from './vault.ts'
import type { LoadWorld } from './world.ts'

/** What is going to be done. */
export interface SetupTokenPlan {
  readonly agent: AgentId
  readonly profile: ProfileId
  readonly facts: SetupTokenFacts
  /** Path of the program. */
  readonly path: string
  /** A borrowed login that is in use and has the usual name: it is left alone. */
  readonly leaves?: ProfileId
}

export interface SetupTokens {
  /**
   * Settles everything that can be before a person is troubled. Changes nothing.
   *
   * @param facts of a provider that issues setup-tokens
   * @faults `EQ_PROGRAM_MISSING`, `EQ_PROFILE_BORROWED`, `EQ_PROFILE_FOREIGN`, `EQ_PROFILE_RESERVED`; the book's
   */
  plan(
    world: World,
    facts: ProviderFacts & { readonly setupToken: SetupTokenFacts },
    wanted: ProfileId | undefined,
  ): Promise<Result<SetupTokenPlan, Fault>>
  /** Lets the program have the terminal. @faults `EQ_PROGRAM_FAILED`, `EQ_INTERRUPTED` */
  show(plan: SetupTokenPlan, signal: AbortSignal): Promise<Result<void, Fault>>
  /** @faults those of storing a secret */
  store(plan: SetupTokenPlan, text: string): Promise<Result<StoredSecret, Fault>>
  /** One request of one token that nobody else may serve. What it teaches is recorded. @faults those of a request */
  verify(plan: SetupTokenPlan, signal: AbortSignal): Promise<Result<void, Fault>>
}

export interface SetupTokenDeps {
  readonly loadWorld: LoadWorld
  readonly programs: TerminalProgram
  readonly vault: Vault
  readonly dispatch: Dispatch
  readonly codecs: Readonly<Partial<Record<Protocol, ChatCodec>>>
  readonly clock: Clock
}

export function createSetupTokens(deps: SetupTokenDeps): SetupTokens {
  return {
    plan: (world, facts, wanted) => plan(deps, world, facts, wanted),
    async show({ facts, path, profile }, signal) {
      const end = await deps.programs.run(path, facts.args, signal)
      if (end.kind === 'interrupted') return fail({ code: 'EQ_INTERRUPTED' })
      if (end.exit === 0) return ok()
      const program = [facts.program, ...facts.args].join(' ')
      const instead = setupTokenByHandWords(facts, profile)
      return fail({ code: 'EQ_PROGRAM_FAILED', program, exit: end.exit, instead })
    },
    store: ({ agent, profile, facts }, text) =>
      deps.vault.storeSecret({
        agent,
        provider: providerOf(profile),
        profile,
        text,
        issuedAt: deps.clock.now(),
        expiresInMs: facts.lifetimeMs,
        onlyToken: true,
      }),
    verify: ({ agent, profile }, signal) => verify(deps, agent, profile, signal),
  }
}

async function plan(
  deps: SetupTokenDeps,
  world: World,
  { id: provider, setupToken: facts }: Parameters<SetupTokens['plan']>[1],
  wanted: ProfileId | undefined,
): Promise<Result<SetupTokenPlan, Fault>> {
  if (world.bookFault) return fail(world.bookFault)
  if (wanted && providerOf(wanted) !== provider) {
    return fail({ code: 'EQ_PROFILE_FOREIGN', profile: wanted, provider })
  }
  if (wanted && isReserved(wanted)) return fail({ code: 'EQ_PROFILE_RESERVED', profile: wanted })
  const usual = profileId(provider, facts.name)
  const lender = lenderOf(world, wanted ?? usual)
  if (lender && wanted) {
    return fail({ code: 'EQ_PROFILE_BORROWED', profile: wanted, origin: lender })
  }
  const profile = wanted ?? (lender ? profileId(provider, facts.spareName) : usual)
  const path = await deps.programs.find(facts.program)
  if (path === undefined) {
    const instead = setupTokenByHandWords(facts, profile)
    return fail({ code: 'EQ_PROGRAM_MISSING', program: facts.program, instead })
  }
  return ok({
    agent: world.agent,
    profile,
    facts,
    path,
    ...(lender && { leaves: usual }),
  })
}

/** Whose login a profile stands for, if that serves just now: by the book, or as it is in its owner's home. */
function lenderOf(world: World, id: ProfileId): Origin | undefined {
  const held = world.book.profiles.get(id)
  if (held && held.origin !== 'equabot' && !isExpired(held.credential, world.now)) {
    return held.origin
  }
  return world.foreign.find(({ origin, reading }) => {
    if (FOREIGN_PROFILES[origin] !== id || !reading.ok || !reading.value) return false
    const { expiresAt } = reading.value
    return expiresAt === undefined || expiresAt > world.now
  })?.origin
}

async function verify(
  deps: SetupTokenDeps,
  agent: AgentId,
  profile: ProfileId,
  signal: AbortSignal,
): Promise<Result<void, Fault>> {
  const loaded = await deps.loadWorld(agent)
  if (!loaded.ok) return loaded
  const world = loaded.value
  const provider = providerOf(profile)
  const model = usualModel(world, world.providers.get(provider))
  if (model === undefined) return fail({ code: 'EQ_MODEL_NO_DEFAULT', provider })
  const served = await deps.dispatch({
    world,
    models: [{ provider, model, profile }],
    client: 'setup-token',
    encode: (facts, key) => {
      const codec = deps.codecs[facts.protocol]
      if (!codec) return fail(unspoken(formatModelKey(key), facts.protocol))
      const messages = [{ role: 'user', text: 'Hello' }] as const
      const body = codec.encode({ model: key.model, messages, maxTokens: 1 })
      return ok({ path: codec.path, headers: {}, body })
    },
    signal,
  })
  return served.ok ? heardOut(deps, served.value) : served
}

/** A provider may still say no inside a stream that began well. */
async function heardOut(deps: SetupTokenDeps, served: Served): Promise<Result<void, Fault>> {
  try {
    const events = deps.codecs[served.facts.protocol]?.decode(served.answer.body) ?? []
    for await (const event of events) {
      if (event.type === 'error') return fail(cutFault(served, event.words))
    }
  } catch {
    // Cut after its first byte: the credential was taken, and that was the question.
  }
  return ok()
}

/** The model that this agent uses of the provider, else the provider's own default. */
function usualModel(world: World, facts: ProviderFacts | undefined): string | undefined {
  const chain = modelChain(world)
  const used = chain.ok
    ? [chain.value.primary, ...chain.value.fallbacks].find(({ provider }) => provider === facts?.id)
    : undefined
  return used?.model ?? facts?.defaultModel
}
