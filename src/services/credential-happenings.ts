/** Tells what an answer has changed in the standing of a credential; what is as it was is not told again. */

import type { ProfileUsage, UpstreamFailure } from '../domain/cooldown.ts'
import { blamesProfile } from '../domain/cooldown.ts'
import type { Publish } from '../domain/event.ts'
import type { Candidate } from '../domain/rotation.ts'

/** @param before what was known of the credential until this answer */
export function tellSuccess(
  publish: Publish,
  { id }: Candidate,
  before: ProfileUsage | undefined,
): void {
  const wasBlamed = before?.lastFailure && blamesProfile(before.lastFailure.reason)
  if (before?.rest || wasBlamed) publish({ kind: 'credential.recovered', profile: id })
}

export function tellFailure(
  publish: Publish,
  { id }: Candidate,
  { reason, policyRefused }: UpstreamFailure,
  usage: { readonly before: ProfileUsage | undefined; readonly after: ProfileUsage | undefined },
): void {
  const { before, after } = usage
  const isRefused = policyRefused === true || reason === 'auth' || reason === 'permission'
  if (isRefused && before?.lastFailure?.reason !== reason) {
    publish({
      kind: 'credential.refused',
      profile: id,
      reason,
      ...(policyRefused && { policy: true }),
    })
  }
  const rest = after?.rest
  if (rest && rest.until !== before?.rest?.until) {
    const { scope, until } = rest
    publish({ kind: 'credential.resting', profile: id, scope, reason: rest.reason, until })
  }
}
