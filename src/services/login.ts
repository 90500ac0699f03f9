/** Logs in at a provider by OAuth: a page is opened, its answer becomes a profile. Until then nothing is changed. */

import type { OauthCredential } from '../domain/credential.ts'
import { isSameAccount } from '../domain/credential.ts'
import type { Fault, LoginAgain, LoginFault } from '../domain/fault.ts'
import { newGrantId } from '../domain/grant.ts'
import type { AgentId, ProfileId, ProviderId } from '../domain/names.ts'
import { parseProfileId, profileId, providerOf } from '../domain/names.ts'
import type { GrantStore, IssuedTokens, LoginAttempt, LoginFlow } from '../domain/renewal-ports.ts'
import type { HeldProfile, Profile } from '../domain/profile.ts'
import { profilesOf } from '../domain/profile.ts'
import type { OauthFacts, ProviderTable } from '../domain/provider.ts'
import type { Result } from '../domain/result.ts'
import { fail, ok } from '../domain/result.ts'
import type { EpochMs } from '../domain/time.ts'
import { MINUTE_MS } from '../domain/time.ts'
import { accountWords } from '../domain/wording-login.ts'
import type { World } from '../domain/world.ts'
import { isReserved } from '../domain/world.ts'
import { findProvider } from './lookup.ts'
import type { Revocation } from './revocation.ts'
import { forgetGrant, revokeGrant } from './revocation.ts'
import type { StoredSecret, VaultDeps } from './vault.ts'
import { storeProfile } from './vault.ts'

/** How long a person may take to agree, ms. */
export const LOGIN_TIMEOUT_MS: number = 5 * MINUTE_MS

export interface LoginRequest {
  readonly agent?: AgentId
  readonly provider: string
  /** Where the login is kept; absent: where the same account is kept, else under its address. */
  readonly profile?: ProfileId
  readonly redirect: 'loopback' | 'paste'
  /** Aborted: whatever comes in is given back, and nothing is stored. */
  readonly signal: AbortSignal
  /** Told when the answer is good and the provider is about to be asked for the tokens. */
  readonly onExchange?: () => void
}

export type OtherAccountFault = Extract<LoginFault, { code: 'EQ_LOGIN_OTHER_ACCOUNT' }>

/** Asks whether the login of another account may be replaced. */
export type MayReplace = (fault: OtherAccountFault) => Promise<Result<boolean, Fault>>

/** A login whose page can be opened. Must be closed, however it ends. */
export interface StartedLogin {
  readonly provider: ProviderId
  readonly title: string
  readonly url: string
  readonly timeoutMs: number
  /** The answer that the browser brings; absent when the person brings it. */
  readonly arrived?: Promise<Result<string, Fault>>
  /**
   * @faults `EQ_LOGIN_ANSWER`, `EQ_LOGIN_STATE`: another answer may be tried; `EQ_LOGIN_*`, `EQ_STORE_*`, `EQ_CONFIG_*`,
   *   `EQ_INTERRUPTED`: nothing was changed
   */
  finish(answer: string, mayReplace: MayReplace): Promise<Result<LoggedIn, Fault>>
  close(): Promise<void>
}

export interface LoggedIn extends StoredSecret {
  readonly email?: string
  readonly accountId?: string
  /** How the account is called. */
  readonly account: string
  readonly renewable: boolean
  /** What became of the login that stood there before, at its provider. */
  readonly replacedLogin?: Revocation
}

export interface Login {
  /** @faults the name faults, `EQ_LOGIN_UNSUPPORTED`, `EQ_LOGIN_UNSAFE_URL`, `EQ_PROFILE_BORROWED`, `EQ_STORE_*` */
  begin(request: LoginRequest): Promise<Result<StartedLogin, Fault>>
}

export type LoginDeps = Pick<
  VaultDeps,
  'loadWorld' | 'profiles' | 'settings' | 'states' | 'clock' | 'fingerprint'
> & { readonly logins: LoginFlow; readonly grants: Pick<GrantStore, 'forget'> }

export function createLogin(deps: LoginDeps): Login {
  return {
    async begin(request) {
      const found = await findProvider(deps.loadWorld, request.agent, request.provider)
      if (!found.ok) return found
      const { world, facts } = found.value
      if (world.bookFault) return fail(world.bookFault)
      const usable = checkProfile(world, facts.id, request.profile)
      if (!usable.ok) return usable
      const { oauth } = facts
      if (!oauth) {
        return fail({ code: 'EQ_LOGIN_UNSUPPORTED', provider: facts.id, lacks: 'tokenUrl' })
      }
      const { redirect } = request
      const begun = await deps.logins.begin(facts.id, oauth, {
        redirect,
        timeoutMs: LOGIN_TIMEOUT_MS,
        ...(request.onExchange && { onExchange: request.onExchange }),
      })
      const named = naming(facts.id, request)
      if (!begun.ok) return named(begun)
      const attempt = begun.value
      const place = { request, provider: facts.id, oauth, providers: world.providers, attempt }
      return ok({
        provider: facts.id,
        title: facts.title,
        url: attempt.url,
        timeoutMs: LOGIN_TIMEOUT_MS,
        ...(attempt.arrived && { arrived: attempt.arrived.then(named) }),
        finish: async (answer, mayReplace) => named(await finish(deps, place, answer, mayReplace)),
        close: () => attempt.close(),
      })
    },
  }
}

/** A fault of the login itself says how the login was started. */
function naming(
  provider: ProviderId,
  { profile, agent, redirect }: LoginRequest,
): <T>(result: Result<T, Fault>) => Result<T, Fault> {
  const again: LoginAgain = {
    provider,
    ...(profile !== undefined && { profile }),
    ...(agent !== undefined && { agent }),
    ...(redirect === 'paste' && { pasted: true }),
  }
  return (result) => {
    if (result.ok || !isRepeatable(result.fault)) return result
    return fail({ ...result.fault, again })
  }
}

type Repeatable = Extract<
  LoginFault,
  {
    code:
      | 'EQ_LOGIN_TIMEOUT'
      | 'EQ_LOGIN_STATE'
      | 'EQ_LOGIN_DENIED'
      | 'EQ_LOGIN_FAILED'
      | 'EQ_LOGIN_CONFIG'
      | 'EQ_LOGIN_LIMITED'
  }
>

const REPEATABLE: Readonly<Record<Repeatable['code'], true>> = {
  EQ_LOGIN_TIMEOUT: true,
  EQ_LOGIN_STATE: true,
  EQ_LOGIN_DENIED: true,
  EQ_LOGIN_FAILED: true,
  EQ_LOGIN_CONFIG: true,
  EQ_LOGIN_LIMITED: true,
}

/** Whether the remedy is to start the login again. */
function isRepeatable(fault: Fault): fault is Repeatable {
  return fault.code in REPEATABLE
}

/** Whether a login may be kept under this id at all. */
function checkProfile(
  world: World,
  provider: ProviderId,
  id: ProfileId | undefined,
): Result<void, Fault> {
  if (!id) return ok()
  if (providerOf(id) !== provider)
    return fail({ code: 'EQ_PROFILE_FOREIGN', profile: id, provider })
  if (isReserved(id)) return fail({ code: 'EQ_PROFILE_RESERVED', profile: id })
  const held = world.book.profiles.get(id)
  return held?.home === world.agent ? checkOrigin(held) : ok()
}

function checkOrigin({ id, origin }: Profile): Result<void, Fault> {
  return origin === 'equabot' ? ok() : fail({ code: 'EQ_PROFILE_BORROWED', profile: id, origin })
}

interface Begun {
  readonly request: LoginRequest
  readonly provider: ProviderId
  readonly oauth: OauthFacts
  readonly providers: ProviderTable
  readonly attempt: LoginAttempt
}

async function finish(
  deps: LoginDeps,
  begun: Begun,
  answer: string,
  mayReplace: MayReplace,
): Promise<Result<LoggedIn, Fault>> {
  const { provider, oauth, providers, attempt } = begun
  const issued = await attempt.finish(answer)
  if (!issued.ok) return issued
  const credential = credentialOf(provider, oauth, issued.value, deps.clock.now())
  const kept = await keep(deps, begun, credential, mayReplace)
  if (kept.ok) return kept
  // Nobody will use these tokens any more. The fault that is told is the one that came first.
  const unwanted = { id: profileId(provider, 'unwanted'), credential, origin: 'equabot' } as const
  await revokeGrant(deps, providers, unwanted)
  return kept
}

async function keep(
  deps: LoginDeps,
  { request, provider }: Begun,
  credential: OauthCredential,
  mayReplace: MayReplace,
): Promise<Result<LoggedIn, Fault>> {
  const loaded = await deps.loadWorld(request.agent)
  if (!loaded.ok) return loaded
  const world = loaded.value
  if (world.bookFault) return fail(world.bookFault)
  const own = profilesOf(world.book, provider).filter(({ home }) => home === world.agent)
  const id = request.profile ?? profileFor(provider, own, credential)
  const other = otherAccount(
    own.find((profile) => profile.id === id),
    credential,
  )
  const agreed = other ? await mayReplace(other) : ok(true)
  if (!agreed.ok) return agreed
  if (other && !agreed.value) return fail(other)
  if (request.signal.aborted) return fail({ code: 'EQ_INTERRUPTED' })

  let replaced: Profile | undefined
  const profile: Profile = { id, credential, origin: 'equabot', storedAt: deps.clock.now() }
  const stored = await storeProfile(deps, world, profile, (previous) => {
    replaced = previous
    const owned = previous ? checkOrigin(previous) : ok()
    if (!owned.ok) return owned
    // What stood there when the person was asked, and nothing else, may go.
    const found = otherAccount(previous, credential)
    return found && found.was !== other?.was ? fail(found) : ok()
  })
  if (!stored.ok) return stored
  if (replaced) await forgetGrant(deps, replaced)
  const mayRevoke = world.providers.get(provider)?.oauth?.revokesOne === true
  const replacedLogin =
    replaced && mayRevoke ? await revokeGrant(deps, world.providers, replaced) : undefined
  const { email, accountId, refresh } = credential
  return ok({
    ...stored.value,
    account: accountWords(credential),
    ...(email !== undefined && { email }),
    ...(accountId !== undefined && { accountId }),
    renewable: refresh !== undefined,
    ...(replacedLogin && { replacedLogin }),
  })
}

function credentialOf(
  provider: ProviderId,
  { clientId }: OauthFacts,
  { access, refresh, lifetimeMs, email, accountId }: IssuedTokens,
  now: EpochMs,
): OauthCredential {
  return {
    type: 'oauth',
    access,
    ...(refresh && { refresh, grantId: newGrantId(provider, refresh) }),
    ...(Number.isFinite(lifetimeMs) && { expiresAt: now + lifetimeMs }),
    renewedAt: now,
    ...(email !== undefined && { email }),
    ...(accountId !== undefined && { accountId }),
    ...(clientId !== undefined && { clientId }),
  }
}

/** Where the same account is kept, else a name from its address. */
function profileFor(
  provider: ProviderId,
  own: readonly HeldProfile[],
  credential: OauthCredential,
): ProfileId {
  const same = own.find(
    (profile) =>
      profile.origin === 'equabot' &&
      profile.credential.type === 'oauth' &&
      isSameAccount(profile.credential, credential) === true,
  )
  const named = credential.email === undefined ? undefined : profileId(provider, credential.email)
  const fresh = named && parseProfileId(named)
  return same?.id ?? (fresh && !isReserved(fresh) ? fresh : profileId(provider, 'default'))
}

/** The fault of replacing what is, or may be, another account's. Two logins that both keep silent count as one account's. */
function otherAccount(
  previous: Profile | undefined,
  credential: OauthCredential,
): OtherAccountFault | undefined {
  if (!previous) return undefined
  if (previous.credential.type === 'oauth') {
    const isSame = isSameAccount(previous.credential, credential)
    if (isSame ?? (isSilent(previous.credential) && isSilent(credential))) return undefined
  }
  return {
    code: 'EQ_LOGIN_OTHER_ACCOUNT',
    profile: previous.id,
    was: accountWords(previous.credential),
    is: accountWords(credential),
  }
}

function isSilent({ email, accountId }: OauthCredential): boolean {
  return email === undefined && accountId === undefined
}
