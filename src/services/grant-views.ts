/** Who renews each login of an agent, and what its last renewal has shown. Reads; changes nothing. */

import type { ForeignView } from '../domain/foreign.ts'
import type { GrantId, GrantView, Moment, RenewalWay, TokenMark, Verdict } from '../domain/grant.ts'
import { isFinal, markOf, ownGrantId, parseTokenMark } from '../domain/grant.ts'
import type { ProfileId } from '../domain/names.ts'
import { providerOf } from '../domain/names.ts'
import type { GrantStore, GrantViews } from '../domain/renewal-ports.ts'
import type { EffectiveBook, Profile } from '../domain/profile.ts'
import type { ProviderTable } from '../domain/provider.ts'
import { clientOf, configMark, isOfAnotherWay } from '../domain/renewal-rules.ts'
import type { Settings } from '../domain/settings.ts'

/** The grant behind a profile: its id, who renews it, and which of its tokens is current. */
export interface KnownGrant {
  readonly id: GrantId
  readonly way: RenewalWay
  readonly token?: TokenMark
}

export async function grantViews(
  deps: { readonly grants: Pick<GrantStore, 'verdict' | 'spent'> },
  book: EffectiveBook,
  settings: Settings,
  providers: ProviderTable,
  foreign: readonly ForeignView[],
): Promise<GrantViews> {
  const views = new Map<ProfileId, GrantView>()
  for (const profile of book.profiles.values()) {
    if (profile.credential.type !== 'oauth') continue
    const grant = grantOf(profile, settings, foreign)
    if (!grant) {
      views.set(profile.id, { way: 'none' })
      continue
    }
    const way = providers.get(providerOf(profile.id))?.oauth ? grant.way : 'none'
    const verdict = await deps.grants.verdict(grant.id)
    const stands =
      verdict &&
      verdict.token === grant.token &&
      !isOfAnotherWay(verdict.outcome, way) &&
      !isVoid(verdict, profile, providers)
        ? verdict
        : undefined
    const isOver = stands !== undefined && isFinal(stands.outcome)
    const servedAt = isOver ? undefined : await spentAt(deps.grants, grant)
    if (servedAt && grant.token) {
      const outcome = { kind: 'spent', spentAt: servedAt.at } as const
      views.set(profile.id, {
        way,
        verdict: { token: grant.token, moment: servedAt, tries: 1, outcome },
      })
      continue
    }
    views.set(profile.id, { way, ...(stands && { verdict: stands }) })
  }
  return views
}

/** Undefined: nothing stands behind the access token. */
export function grantOf(
  profile: Profile,
  settings: Settings,
  foreign: readonly ForeignView[],
): KnownGrant | undefined {
  const { credential, origin } = profile
  if (credential.type !== 'oauth') return undefined
  if (origin === 'equabot') {
    const id = ownGrantId(providerOf(profile.id), credential)
    return id && credential.refresh
      ? { id, way: 'ours', token: markOf(credential.refresh) }
      : undefined
  }
  const view = foreign.find((entry) => entry.origin === origin)
  if (!view) return undefined
  // What cannot be read now may be whole in a moment: its owner is waited for.
  if (!view.reading.ok) return { id: view.grant, way: 'never' }
  const login = view.reading.value
  if (login?.type !== 'oauth') return undefined
  const token = login.refreshMark === undefined ? undefined : parseTokenMark(login.refreshMark)
  return { id: view.grant, way: settings.auth.foreign[origin].renew, ...(token && { token }) }
}

/** A copy of an older state: by our own record its token has served. */
async function spentAt(
  grants: Pick<GrantStore, 'spent'>,
  { id, token, way }: KnownGrant,
): Promise<Moment | undefined> {
  return way === 'ours' && token ? (await grants.spent(id)).get(token) : undefined
}

/** A complaint about client or request that a change of config may have mended. */
function isVoid(verdict: Verdict, profile: Profile, providers: ProviderTable): boolean {
  if (verdict.outcome.kind !== 'config') return false
  const facts = providers.get(providerOf(profile.id))?.oauth
  const { credential } = profile
  if (!facts || credential.type !== 'oauth') return true
  return verdict.config !== configMark(facts, clientOf(facts, credential))
}
