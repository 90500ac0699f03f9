/** What `token-families.mjs` gives to drivers that are written in TypeScript. */

import type { IssuedLogin, TokenMode, TokenSend, TokenServer } from './token-server.mjs'

export interface Redeemed {
  readonly kind: NonNullable<TokenSend['outcome']>
  readonly issued?: Omit<IssuedLogin, 'family'>
}

export interface Families extends Pick<TokenServer, 'login'> {
  readonly redeem: (refresh: string) => Redeemed
  readonly accepts: TokenServer['families']['accepts']
  readonly current: TokenServer['families']['current']
  readonly expire: TokenServer['families']['expire']
  readonly get: TokenServer['families']['get']
}

export function createFamilies(deps: { readonly now: () => number }): Families
export type { TokenMode }
