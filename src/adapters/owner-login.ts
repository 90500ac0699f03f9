/** What of an owner's login may be known outside its home: all but the refresh token, which is named by its mark. */

import type { ForeignFault } from '../domain/fault.ts'
import type { ForeignLogin } from '../domain/foreign.ts'
import { markOf } from '../domain/grant.ts'
import type { ForeignPlace, OwnerLogin } from '../wire/foreign-text.ts'

export function shownLogin(
  login: OwnerLogin,
  where: ForeignPlace,
  remark?: ForeignFault,
): ForeignLogin {
  return {
    ...where,
    access: login.access,
    type: login.refresh ? 'oauth' : 'token',
    ...(login.refresh && { refreshMark: markOf(login.refresh) }),
    ...(login.expiresAt !== undefined && { expiresAt: login.expiresAt }),
    ...(login.email !== undefined && { email: login.email }),
    ...(login.accountId !== undefined && { accountId: login.accountId }),
    ...(remark && { remark }),
  }
}
