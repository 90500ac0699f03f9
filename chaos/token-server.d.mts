/** What `token-server.mjs` gives to tests that are written in TypeScript. */

export type TokenMode = 'strict' | 'grace' | 'idempotent' | 'norotate'

/** See `token-answers.mjs` for what each member does. */
export interface TokenFault {
  readonly delayMs?: number
  readonly processFirst?: boolean
  readonly processed?: boolean
  readonly reset?: boolean
  readonly cut?: { readonly at: number; readonly how: 'fin' | 'rst' | 'stall' }
  readonly drip?: { readonly bytes: number; readonly everyMs: number }
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  readonly omit?: readonly string[]
  readonly set?: Readonly<Record<string, unknown>>
  readonly framing?: 'length' | 'chunked' | 'close'
}

export interface IssuedLogin {
  readonly family: string
  readonly generation: number
  readonly refresh: string
  readonly access: string
  readonly expiresAt: number
}

/** One request for tokens, as the server saw it. */
export interface TokenSend {
  readonly seq: number
  readonly at: number
  readonly family: string | undefined
  /** Which of the family's refresh tokens came, counted from 0. */
  readonly generation: number | undefined
  readonly client: string | undefined
  readonly fault: readonly string[]
  readonly outcome?: 'rotated' | 'replayed' | 'reused' | 'revoked' | 'unknown' | 'not_looked_at'
  /** Generation that was given out. */
  readonly issued?: number
  readonly status?: number
  /** Length of the whole answer, bytes. */
  readonly bytes?: number
  readonly answered: 'full' | 'part' | 'none'
  /** Whether the family was alive afterwards. */
  readonly alive?: boolean
}

export interface FamilySummary {
  readonly id: string
  readonly mode: TokenMode
  readonly account: string
  readonly alive: boolean
  readonly revokedBecause: string | undefined
  readonly generations: number
}

export interface TokenServer {
  readonly url: string
  readonly port: number
  readonly tokenUrl: string
  readonly sends: TokenSend[]
  readonly uses: { readonly at: number; readonly accepted: boolean; readonly generation?: string }[]
  readonly families: {
    get(id: string): Omit<FamilySummary, 'generations'>
    current(id: string): Omit<IssuedLogin, 'family'>
    accepts(access: string): boolean
    revoke(id: string, reason?: string): void
    expire(id: string): void
    list(): readonly FamilySummary[]
  }
  login(options?: {
    readonly mode?: TokenMode
    readonly lifetimeMs?: number
    readonly graceMs?: number
    readonly account?: string
  }): IssuedLogin
  fault(...next: readonly TokenFault[]): void
  clearFaults(): void
  onSend(tell: (send: TokenSend) => void): () => void
  /** Resolves when everything that was sent has been answered, or its caller has gone. */
  settled(): Promise<void>
  close(): Promise<void>
}

export function startTokenServer(options?: {
  readonly port?: number
  readonly mode?: TokenMode
  readonly now?: () => number
  readonly logFile?: string
  /** How long every answer takes at least, ms. */
  readonly latencyMs?: number
}): Promise<TokenServer>
