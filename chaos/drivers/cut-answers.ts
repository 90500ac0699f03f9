/**
 * Renews one login after another against a server whose answers break off, each login on its own and from the start.
 *
 * `node cut-answers.mjs <state folder> <mode>` answers each line, a fault as JSON, with what came of it. Protocol,
 * journal, book and HTTP are the real ones; only waiting is not: whoever sleeps is woken at once, with the time that
 * the sleep would have taken added to every clock, the server's too.
 */

import { createInterface } from 'node:readline'
import { createTokenEndpoint } from '../../src/adapters/token-endpoint.ts'
import { createUpstream } from '../../src/adapters/upstream-http.ts'
import { openHome } from '../../src/adapters/home.ts'
import { openStores } from '../../src/compose-stores.ts'
import { orThrow } from '../../src/domain/equabot-error.ts'
import type { OauthCredential } from '../../src/domain/credential.ts'
import type { Verdict } from '../../src/domain/grant.ts'
import { markOf, newGrantId } from '../../src/domain/grant.ts'
import { MAIN_AGENT, parseProfileId, providerOf } from '../../src/domain/names.ts'
import type { Journal, TokenEndpoint } from '../../src/domain/renewal-ports.ts'
import type { OauthFacts } from '../../src/domain/provider.ts'
import { withProfile } from '../../src/domain/profile.ts'
import { ok } from '../../src/domain/result.ts'
import { Secret } from '../../src/domain/secret.ts'
import { renewOnce } from '../../src/services/renewal-protocol.ts'
import { bookHome } from '../../src/services/token-home.ts'
import { judgeTokenAnswer } from '../../src/wire/token-response.ts'
import type { IssuedLogin, TokenFault, TokenMode } from '../token-server.mjs'
import { startTokenServer } from '../token-server.mjs'

const MODES: readonly TokenMode[] = ['strict', 'grace', 'idempotent', 'norotate']
const ACCOUNT = 'account-1'
const GRACE_MS = 60_000
/** So long we really wait for an answer that stalls; the clocks are told that it was all of the program's patience. */
const REAL_STALL_MS = 60

const [, , stateDir, modeName] = process.argv
const mode = MODES.find((known) => known === modeName)
if (!mode) throw new Error(`no mode: ${modeName}`)
const profile = parseProfileId('acme:me') ?? fail('no profile')
const stores = openStores(orThrow(openHome({ EQUABOT_STATE_DIR: stateDir })))
const wallClock = Date.now
let skippedMs = 0
Date.now = () => wallClock() + skippedMs
const server = await startTokenServer({ mode, now: Date.now })
const upstream = createUpstream({ userAgent: 'equabot/chaos', proxyVariables: new Map() })
const facts: OauthFacts = {
  tokenUrl: server.tokenUrl,
  clientId: 'chaos-client',
  scopes: [],
  body: 'form',
  replay: mode === 'strict' ? 'strict' : 'unknown',
}

function fail(words: string): never {
  throw new Error(words)
}

const real = createTokenEndpoint({
  userAgent: 'equabot/chaos',
  exchange: upstream.exchange,
  locate: upstream.locate,
})

/** As the real one, with its patience shortened when an answer stalls. */
function endpointFor(fault: TokenFault): TokenEndpoint {
  let isFirst = true
  return {
    async redeem(request, beforeSend) {
      if (!isFirst || fault.cut?.how !== 'stall') return real.redeem(request, beforeSend)
      isFirst = false
      const startedAt = Date.now()
      const patience = { totalTimeoutMs: REAL_STALL_MS, stallTimeoutMs: REAL_STALL_MS }
      const end = await real.redeem({ ...request, ...patience }, beforeSend)
      const isCutShort = Date.now() - startedAt >= REAL_STALL_MS
      // Of an answer that has begun the rest is waited for less long than for its beginning.
      const patienceMs = end.kind === 'answered' ? request.stallTimeoutMs : request.totalTimeoutMs
      if (isCutShort) skippedMs += patienceMs - REAL_STALL_MS
      return end
    },
  }
}

async function putIn(login: IssuedLogin): Promise<OauthCredential> {
  const credential: OauthCredential = {
    type: 'oauth',
    access: new Secret(login.access),
    refresh: new Secret(login.refresh),
    expiresAt: Date.now() - 1,
    accountId: ACCOUNT,
  }
  orThrow(
    await stores.profiles.transact<void, never>(MAIN_AGENT, async (book) => {
      const entry = { id: profile, credential, origin: 'equabot' as const }
      return ok({ book: withProfile(book, entry), value: undefined })
    }),
  )
  return credential
}

/** @property graceMs how long the server repeats its answer, ms */
interface Case extends TokenFault {
  readonly graceMs?: number
}

async function renew({ graceMs = GRACE_MS, ...fault }: Case): Promise<unknown> {
  const login = server.login({ account: ACCOUNT, graceMs })
  const credential = await putIn(login)
  const grant = newGrantId(providerOf(profile), new Secret(login.refresh))
  const verdicts: Verdict[] = []
  const journal: Journal = {
    ...stores.grants.journal(grant),
    putVerdict(verdict) {
      verdicts.push(verdict)
      return stores.grants.journal(grant).putVerdict(verdict)
    },
  }
  const sentBefore = server.sends.length
  server.fault(fault)
  const end = await renewOnce(
    {
      clock: {
        now: Date.now,
        async sleep(ms) {
          skippedMs += ms
        },
      },
      stopwatch: () => ({ at: Date.now(), boot: 'one', upMs: performance.now() + skippedMs }),
      endpoint: endpointFor(fault),
      judge: judgeTokenAnswer,
      random: Math.random,
      newId: () => String(server.sends.length),
      connectTimeoutMs: 5000,
    },
    {
      home: bookHome(stores.profiles, MAIN_AGENT, profile, (next) => ({ ...next, grantId: grant })),
      journal,
      facts,
      unwanted: markOf(credential.access),
      urge: 'use',
    },
  )
  await server.settled()
  server.clearFaults()
  const sends = server.sends.slice(sentBefore)
  const outcome = verdicts.at(-1)?.outcome
  const report = {
    end,
    verdicts: verdicts.map((verdict) => verdict.outcome.kind),
    isLossTold: outcome?.kind === 'rejected' && outcome.lostAt !== undefined,
    sends: sends.map((send) => send.outcome),
    bytes: sends[0]?.bytes,
    alive: server.families.get(login.family).alive,
    ...(await whatStands(login)),
  }
  await stores.grants.forget(grant)
  return report
}

/** What the book holds now, against what the server gave out. */
async function whatStands(login: IssuedLogin) {
  const book = orThrow(await stores.profiles.read(MAIN_AGENT)).book
  const now = book.profiles.get(profile)?.credential
  const current = server.families.current(login.family)
  const refresh = now?.type === 'oauth' ? now.refresh?.reveal() : undefined
  const access = now?.type === 'oauth' ? now.access.reveal() : undefined
  return {
    isCurrent: refresh === current.refresh && access === current.access,
    isUntouched: refresh === login.refresh && access === login.access,
  }
}

process.stdout.write('ready\n')
for await (const line of createInterface({ input: process.stdin })) {
  process.stdout.write(`${JSON.stringify(await renew(JSON.parse(line) as Case))}\n`)
}
await upstream.close()
await server.close()
