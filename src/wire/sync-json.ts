/** What came of adopting other programs' logins, as plain data for programs. Every member is named here, one by one. */

import type { SyncedSource } from '../domain/adoption.ts'
import type { EpochMs } from '../domain/time.ts'
import type { FaultJson } from './fault-json.ts'
import { faultJson } from './fault-json.ts'

export interface SyncedSourceJson {
  readonly origin: string
  readonly place: string
  readonly profile: string
  readonly outcome: SyncedSource['outcome']
  readonly because?: SyncedSource['because']
  readonly type?: 'oauth' | 'token'
  readonly expiresAt?: EpochMs
  readonly email?: string
  readonly accountId?: string
  /** With `absent`: what was taken over from there before; its end, where that is known. */
  readonly copy?: { readonly expiresAt?: EpochMs }
  readonly fault?: FaultJson
  readonly remark?: FaultJson
}

export function syncedJson(source: SyncedSource): SyncedSourceJson {
  const { origin, place, profile, outcome, because, login, copy, fault, remark } = source
  return {
    origin,
    place,
    profile,
    outcome,
    ...(because && { because }),
    ...(login && {
      type: login.type,
      ...(login.expiresAt !== undefined && { expiresAt: login.expiresAt }),
      ...(login.email !== undefined && { email: login.email }),
      ...(login.accountId !== undefined && { accountId: login.accountId }),
    }),
    ...(copy && { copy: copy.expiresAt === undefined ? {} : { expiresAt: copy.expiresAt } }),
    ...(fault && { fault: faultJson(fault) }),
    ...(remark && { remark: faultJson(remark) }),
  }
}
