/**
 * Replaces an access token that has expired, or that a provider has just refused.
 *
 * The caller names the token it wants rid of. Whoever has replaced that token already, a caller beside us or another
 * process, has done the work; its answer is ours, unless it has ended too. Sending is the helper's part: this process may
 * end at any time.
 */

import type { OauthCredential } from '../domain/credential.ts'
import type { Fault, RenewalFault } from '../domain/fault.ts'
import type { GrantId, Verdict } from '../domain/grant.ts'
import { isDead, isFinal, markOf } from '../domain/grant.ts'
import type { AgentId, ProfileId } from '../domain/names.ts'
import type { ProfileStore } from '../domain/ports.ts'
import type { GrantStore, RenewalHelper, Stopwatch } from '../domain/renewal-ports.ts'
import type { HeldProfile, Origin } from '../domain/profile.ts'
import { freshness, heldMs, isTooSoon } from '../domain/renewal-rules.ts'
import type { Result } from '../domain/result.ts'
import { fail, ok } from '../domain/result.ts'
import type { Secret } from '../domain/secret.ts'
import type { EpochMs } from '../domain/time.ts'
import { unknownProfile } from '../domain/unknown.ts'
import type { World } from '../domain/world.ts'
import { leftOutBy } from '../domain/world.ts'
import { grantOf } from './grant-views.ts'
import type { KnownGrant } from './grant-views.ts'
import type { RenewalJob } from './renewal-job.ts'
import type { LoadWorld } from './world.ts'

export interface RenewalRequest {
  /** Through whose eyes; the agent whose book holds the profile follows from it. */
  readonly agent: AgentId
  readonly profile: ProfileId
  /** The access token that is no longer wanted; absent: the one that stands in the book. */
  readonly unwanted?: Secret
  readonly urge: RenewalJob['urge']
  /** How long to wait for the helper, ms; it goes on afterwards. */
  readonly waitMs: number
  /** Ends the waiting earlier. */
  readonly signal?: AbortSignal
}

/** @faults `EQ_GRANT_*`, `EQ_RENEWAL_*`, `EQ_PROFILE_UNKNOWN`, those of loading the world */
export type Renew = (request: RenewalRequest) => Promise<Result<OauthCredential, Fault>>

export interface Renewals {
  readonly renew: Renew
}

export interface RenewalDeps {
  readonly loadWorld: LoadWorld
  readonly profiles: ProfileStore
  readonly grants: Pick<GrantStore, 'verdict' | 'spent'>
  readonly helper: RenewalHelper
  readonly stopwatch: Stopwatch
  /** Takes over what other programs have renewed by themselves. */
  readonly adopt: () => Promise<unknown>
}

export function createRenewals(deps: RenewalDeps): Renewals {
  const flights = new Map<string, Promise<Result<OauthCredential, Fault>>>()

  async function renew(request: RenewalRequest): Promise<Result<OauthCredential, Fault>> {
    const found = await findLogin(deps, request)
    if (!found.ok) return found
    const { profile, login, grant } = found.value
    const isReplaced = request.unwanted !== undefined && !login.access.equals(request.unwanted)
    if (isReplaced && isUsable(deps, login)) return ok(login)
    // Who waits must not get the answer of one who only wanted it started.
    const key = `${grant?.id ?? profile.id} ${request.waitMs > 0 ? 'waits' : 'starts'}`
    for (let flight = flights.get(key); flight; flight = flights.get(key)) {
      const answer = await flight
      if (!answer.ok || !answer.value.access.equals(login.access)) return answer
    }
    const own = renewAlone(deps, request, found.value).finally(() => flights.delete(key))
    flights.set(key, own)
    return own
  }
  return { renew }
}

interface FoundLogin {
  readonly world: World
  readonly profile: HeldProfile
  readonly login: OauthCredential
  readonly grant: KnownGrant | undefined
}

async function findLogin(
  deps: RenewalDeps,
  request: RenewalRequest,
): Promise<Result<FoundLogin, Fault>> {
  const loaded = await deps.loadWorld(request.agent)
  if (!loaded.ok) return loaded
  const world = loaded.value
  if (world.bookFault) return fail(world.bookFault)
  const profile = world.book.profiles.get(request.profile)
  if (!profile) {
    return fail(unknownProfile(world.agent, request.profile, [...world.book.profiles.keys()]))
  }
  const { credential, origin } = profile
  const by = leftOutBy(world, origin)
  if (by) return fail({ code: 'EQ_RENEWAL_LEFT_OUT', profile: profile.id, origin, by })
  if (credential.type !== 'oauth') {
    return fail({ code: 'EQ_GRANT_NONE', profile: profile.id, origin, type: credential.type })
  }
  const grant = grantOf(profile, world.settings, world.foreign)
  return ok({ world, profile, login: credential, grant })
}

async function renewAlone(
  deps: RenewalDeps,
  request: RenewalRequest,
  { world, profile, login: seen, grant }: FoundLogin,
): Promise<Result<OauthCredential, Fault>> {
  const { id, origin } = profile
  const login = (origin !== 'equabot' && (await adopted(deps, profile))) || seen
  // Its owner has renewed it by itself. What has ended there too is renewed all the same.
  if (!login.access.equals(seen.access) && isUsable(deps, login)) return ok(login)

  const way = world.grants.get(id)?.way ?? 'none'
  if (!grant || way === 'none') return fail({ code: 'EQ_GRANT_NONE', profile: id, origin })
  if (way === 'never') return fail(ownersAlone(profile, login, deps.stopwatch().at))

  const before = await deps.grants.verdict(grant.id)
  const known = before?.token === grant.token ? before : undefined
  const moment = deps.stopwatch()
  // What was issued a moment ago is good, whatever a clock says.
  if (request.urge !== 'user' && isTooSoon(known, moment)) return ok(login)
  const view = world.grants.get(id)
  const isOver = isDead(view) || (view?.verdict && isFinal(view.verdict.outcome))
  if (isOver || heldMs(view?.verdict, request.urge, moment) > 0) {
    return fail(faultOf(id, origin, view?.verdict, moment.upMs))
  }

  return letHelperRenew(deps, request, profile, { id: grant.id, before, unwanted: login.access })
}

function ownersAlone(
  { id, origin }: HeldProfile,
  { expiresAt }: OauthCredential,
  now: EpochMs,
): RenewalFault {
  const usable = expiresAt !== undefined && expiresAt > now
  return {
    code: 'EQ_RENEWAL_OWNERS',
    profile: id,
    origin,
    ...(usable && { usableUntil: expiresAt }),
  }
}

async function letHelperRenew(
  deps: RenewalDeps,
  request: RenewalRequest,
  profile: HeldProfile,
  grant: { readonly id: GrantId; readonly before: Verdict | undefined; readonly unwanted: Secret },
): Promise<Result<OauthCredential, Fault>> {
  const { id, origin } = profile
  const { before, unwanted } = grant
  const ran = await deps.helper.run(
    {
      agent: profile.home,
      profile: id,
      grant: grant.id,
      unwanted: markOf(unwanted),
      urge: request.urge,
    },
    request.waitMs,
    async () => {
      const now = await stored(deps, profile)
      if (!now || (!now.access.equals(unwanted) && isUsable(deps, now))) return true
      const verdict = await deps.grants.verdict(grant.id)
      return verdict !== undefined && !isSame(verdict, before)
    },
    request.signal,
  )
  // The verdict first: it is written last, so what it tells of stands in the book by then.
  const verdict = await deps.grants.verdict(grant.id)
  const after = await stored(deps, profile)
  // Somebody has removed it meanwhile.
  if (!after) return fail(unknownProfile(request.agent, id, []))
  if (!after.access.equals(unwanted)) {
    const isNew = verdict?.outcome.kind === 'renewed' && !isSame(verdict, before)
    if (isNew || isTooSoon(verdict, deps.stopwatch()) || isUsable(deps, after)) return ok(after)
  }
  if (!ran.ok) return ran
  const fault = faultOf(id, origin, verdict, deps.stopwatch().upMs)
  const isAsked = fault.code === 'EQ_RENEWAL_LOST' && request.urge === 'user'
  return fail(isAsked ? { ...fault, asked: true } : fault)
}

/** Whether access that somebody else has put there serves a request. */
function isUsable({ stopwatch }: RenewalDeps, login: OauthCredential): boolean {
  return freshness(login, stopwatch().at) !== 'stale'
}

/** The login as its owner has it now, as far as it can be taken over. */
async function adopted(
  deps: RenewalDeps,
  profile: HeldProfile,
): Promise<OauthCredential | undefined> {
  await deps.adopt()
  return stored(deps, profile)
}

async function stored(
  deps: RenewalDeps,
  profile: HeldProfile,
): Promise<OauthCredential | undefined> {
  const read = await deps.profiles.read(profile.home)
  const credential = read.ok ? read.value.book.profiles.get(profile.id)?.credential : undefined
  return credential?.type === 'oauth' ? credential : undefined
}

function isSame(a: Verdict, b: Verdict | undefined): boolean {
  return (
    b !== undefined &&
    a.token === b.token &&
    a.moment.at === b.moment.at &&
    a.moment.upMs === b.moment.upMs &&
    a.outcome.kind === b.outcome.kind
  )
}

/** What a verdict is to the caller who wanted new access. */
export function faultOf(
  profile: ProfileId,
  origin: Origin,
  verdict: Verdict | undefined,
  upMs: number,
): RenewalFault {
  if (!verdict) return { code: 'EQ_RENEWAL_HELPER', profile, detail: 'it left no verdict' }
  const { outcome, moment, againAfterMs } = verdict
  const again = againAfterMs === undefined ? {} : { againAt: moment.at + againAfterMs }
  switch (outcome.kind) {
    case 'renewed':
      return { code: 'EQ_RENEWAL_BUSY', profile, waitedMs: Math.max(0, upMs - moment.upMs) }
    case 'not_sent':
      return {
        code: 'EQ_RENEWAL_NOT_SENT',
        profile,
        reason: outcome.reason,
        words: outcome.words,
        ...again,
      }
    case 'not_consumed':
      return {
        code: 'EQ_RENEWAL_PUT_OFF',
        profile,
        status: outcome.status,
        words: outcome.words,
        ...again,
      }
    case 'config':
      return { code: 'EQ_RENEWAL_CONFIG', profile, error: outcome.error, words: outcome.words }
    case 'rejected': {
      const { error, words, lostAt } = outcome
      return {
        code: 'EQ_GRANT_DEAD',
        profile,
        origin,
        error,
        words,
        at: moment.at,
        ...(lostAt !== undefined && { lostAt }),
      }
    }
    case 'ambiguous':
      return {
        code: 'EQ_RENEWAL_LOST',
        profile,
        words: outcome.words,
        lostAt: outcome.lostAt,
        ...(outcome.answered && { answered: true }),
        ...again,
      }
    case 'quarantined':
      return {
        code: 'EQ_RENEWAL_ACCOUNT',
        profile,
        expected: outcome.expected,
        got: outcome.got,
      }
    case 'kept':
      return { code: 'EQ_RENEWAL_KEPT', profile, words: outcome.words }
    case 'spent':
      return { code: 'EQ_GRANT_SPENT', profile, origin, spentAt: outcome.spentAt }
    default:
      return outcome satisfies never
  }
}
