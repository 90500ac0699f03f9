/**
 * The gateway's heartbeat: takes over what other programs have renewed, renews our own logins ahead of need, so that no
 * request waits for it, and tells what becomes of credentials.
 *
 * A borrowed login is renewed when a request needs it, not before: ahead of need its owner may do so itself. Only a
 * renewal whose answer was lost is taken up again here, whoever the login belongs to.
 */

import { freshness } from '../domain/renewal-rules.ts'
import type { HeldProfile } from '../domain/profile.ts'
import type { Clock, Log, SettingsStore } from '../domain/ports.ts'
import type { Stopwatch } from '../domain/renewal-ports.ts'
import { agentsOf } from '../domain/settings.ts'
import { holdMs } from '../domain/grant.ts'
import { SECOND_MS } from '../domain/time.ts'
import type { World } from '../domain/world.ts'
import type { CredentialWatch } from './credential-watch.ts'
import type { Renewals } from './renewal.ts'
import type { LoadWorld } from './world.ts'

export interface Keeper {
  /** One look at everything. Starts what is due and waits for none of it. */
  beat(): Promise<void>
  /** Beats until the signal. */
  run(signal: AbortSignal): Promise<void>
}

export interface KeeperDeps {
  readonly loadWorld: LoadWorld
  readonly settings: SettingsStore
  readonly adopt: () => Promise<unknown>
  readonly renewals: Renewals
  readonly watch: Pick<CredentialWatch, 'look'>
  readonly clock: Clock
  readonly stopwatch: Stopwatch
  readonly log: Log
  /** From 0 to 1. */
  readonly random: () => number
}

const BEAT_MS: number = 20 * SECOND_MS
/** After the machine woke up, the network needs a moment, ms. */
const WAKING_MS: number = 5 * SECOND_MS

export function createKeeper(deps: KeeperDeps): Keeper {
  /** Spreads the renewals of several gateways over time. */
  const early = deps.random()

  async function beat(): Promise<void> {
    await deps.adopt()
    const settings = await deps.settings.read()
    if (!settings.ok) return
    for (const { id } of agentsOf(settings.value.settings)) {
      const loaded = await deps.loadWorld(id)
      if (!loaded.ok) continue
      const world = loaded.value
      deps.watch.look(world)
      const due = [...world.book.profiles.values()].filter(
        (profile) => profile.home === id && isDue(world, profile, early),
      )
      for (const profile of due) await start(deps, world, profile)
    }
  }

  return {
    beat,
    async run(signal) {
      while (!signal.aborted) {
        await beat()
        const before = deps.stopwatch().upMs
        const pauseMs = BEAT_MS * (0.8 + 0.4 * deps.random())
        await deps.clock.sleep(pauseMs, signal)
        const slept = deps.stopwatch().upMs - before > pauseMs + WAKING_MS
        if (slept) await deps.clock.sleep(WAKING_MS, signal)
      }
    },
  }
}

function isDue(world: World, { id, credential }: HeldProfile, early: number): boolean {
  const grant = world.grants.get(id)
  if (credential.type !== 'oauth' || !grant || grant.way === 'none' || grant.way === 'never') {
    return false
  }
  if (holdMs(grant.verdict, world.moment) > 0) return false
  const outcome = grant.verdict?.outcome.kind
  if (outcome === 'ambiguous' || outcome === 'kept') return true
  return grant.way === 'ours' && freshness(credential, world.now, early) !== 'fresh'
}

/** The helper goes on by itself; what comes of it is in its verdict and in the log. */
async function start(deps: KeeperDeps, world: World, profile: HeldProfile): Promise<void> {
  if (profile.credential.type !== 'oauth') return
  const started = await deps.renewals.renew({
    agent: world.agent,
    profile: profile.id,
    unwanted: profile.credential.access,
    urge: 'use',
    waitMs: 0,
  })
  const code = started.ok ? undefined : started.fault.code
  if (code !== undefined && code !== 'EQ_RENEWAL_BUSY') {
    deps.log.write('warn', 'renewal.failed', { profile: profile.id, code })
  }
}
