/**
 * OAuth 2.0 authorization code flow with PKCE; the steps of the protocol are oauth4webapi's.
 *
 * Loaded by the first login: nothing here is needed by a command that makes none. Tokens and codes leave in the body of
 * one request, never in an address.
 */

import { randomInt } from 'node:crypto'
import * as oauth4 from 'oauth4webapi'
import type { LoginFault } from '../domain/fault.ts'
import type { ProviderId } from '../domain/names.ts'
import type { Clock, Upstream } from '../domain/ports.ts'
import type {
  IssuedTokens,
  LoginAttempt,
  LoginFlow,
  LoginOptions,
} from '../domain/renewal-ports.ts'
import type { OauthFacts } from '../domain/provider.ts'
import type { Result } from '../domain/result.ts'
import { fail, ok } from '../domain/result.ts'
import { Secret } from '../domain/secret.ts'
import type { EpochMs } from '../domain/time.ts'
import type { ReplyTrouble } from '../wire/login-reply.ts'
import { judgeCodeReply, judgeRevocationReply } from '../wire/login-reply.ts'
import { retryAfterMs } from '../wire/retry-after.ts'
import { isSecure } from '../wire/secure-url.ts'
import type { AgreedAnswer, AnswerDesk } from './answer-desk.ts'
import { createAnswerDesk } from './answer-desk.ts'
import type { CallbackServer } from './callback-server.ts'
import { CALLBACK_PATH, startCallbackServer } from './callback-server.ts'
import type { LoginPost, PostReply } from './login-post.ts'
import { createLoginPost } from './login-post.ts'

export interface LoginFlowDeps {
  readonly upstream: Upstream
  /** The real address of an endpoint: the sandbox's is not known before it listens. */
  readonly locate: (url: string) => Promise<URL>
  readonly clock: Clock
}

export function createLoginFlow(deps: LoginFlowDeps): LoginFlow {
  return {
    begin: (provider, oauth, options) => begin(deps, provider, oauth, options),
    revoke: (provider, oauth, token, hint) => revoke(deps, provider, oauth, token, hint),
  }
}

/** A login whose place is settled and that waits for its answer. */
interface Waiting {
  readonly id: ProviderId
  readonly provider: oauth4.AuthorizationServer
  readonly client: oauth4.Client
  readonly redirectUri: string
  readonly state: string
  /** Shown to the token endpoint only. */
  readonly verifier: Secret
  readonly post: LoginPost
}

async function begin(
  deps: LoginFlowDeps,
  provider: ProviderId,
  oauth: OauthFacts,
  options: LoginOptions,
): Promise<Result<LoginAttempt, LoginFault>> {
  const { clientId } = oauth
  if (clientId === undefined) return unsupported(provider, 'clientId')
  const authorizeUrl = await locate(deps, provider, oauth, 'authorizeUrl')
  if (!authorizeUrl.ok) return authorizeUrl
  const tokenUrl = await locate(deps, provider, oauth, 'tokenUrl')
  if (!tokenUrl.ok) return tokenUrl

  const secrets = {
    state: oauth4.generateRandomState(),
    verifier: new Secret(oauth4.generateRandomCodeVerifier()),
  }
  const desk = createAnswerDesk(deps.clock, {
    state: secrets.state,
    issuerOrigin: authorizeUrl.value.origin,
    timeoutMs: options.timeoutMs,
  })
  const callback = options.redirect === 'loopback' ? await listen(desk) : ok(undefined)
  if (!callback.ok) {
    desk.close()
    return callback
  }
  const server = callback.value
  const waiting: Waiting = {
    ...secrets,
    id: provider,
    provider: { issuer: authorizeUrl.value.origin, token_endpoint: tokenUrl.value.href },
    client: { client_id: clientId },
    redirectUri: server?.redirectUri ?? unattendedRedirect(),
    post: createLoginPost(deps, tokenUrl.value, oauth.body),
  }
  return ok({
    url: await pageUrl(authorizeUrl.value, waiting, oauth.scopes),
    ...(server && {
      arrived: desk.arrived.then((arrived) =>
        arrived.ok ? ok(`${waiting.redirectUri}?${arrived.value.toString()}`) : arrived,
      ),
    }),
    async finish(text) {
      const answer = desk.take(text, waiting.redirectUri)
      if (!answer.ok) return answer
      options.onExchange?.()
      return exchange(waiting, deps.clock.now, answer.value)
    },
    async close() {
      desk.close()
      await server?.close()
    },
  })
}

async function listen(desk: AnswerDesk): Promise<Result<CallbackServer, LoginFault>> {
  try {
    return ok(await startCallbackServer(desk.redirect))
  } catch (cause) {
    const words = cause instanceof Error && 'code' in cause ? String(cause.code) : String(cause)
    return fail({ code: 'EQ_LOGIN_FAILED', host: '127.0.0.1', words })
  }
}

/** The address that a person opens. @source RFC 6749 4.1.1, RFC 7636 4.3 */
async function pageUrl(page: URL, waiting: Waiting, scopes: readonly string[]): Promise<string> {
  const url = new URL(page)
  const challenge = await oauth4.calculatePKCECodeChallenge(waiting.verifier.reveal())
  const parameters = {
    response_type: 'code',
    client_id: waiting.client.client_id,
    redirect_uri: waiting.redirectUri,
    ...(scopes.length > 0 && { scope: scopes.join(' ') }),
    state: waiting.state,
    code_challenge: challenge,
    code_challenge_method: 'S256',
  }
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value)
  return url.href
}

/** Where the browser of somebody who pastes ends up: nobody listens, and the address bar shows the answer. */
function unattendedRedirect(): string {
  return `http://127.0.0.1:${randomInt(49_152, 65_536)}${CALLBACK_PATH}`
}

/** @source RFC 6749 4.1.3, RFC 7636 4.5 */
async function exchange(
  waiting: Waiting,
  now: () => EpochMs,
  { code, issuer }: AgreedAnswer,
): Promise<Result<IssuedTokens, LoginFault>> {
  const { provider, client, state, redirectUri, verifier, post } = waiting
  const server = issuer === undefined ? provider : { ...provider, issuer }
  const answer = new URLSearchParams({
    code: code.reveal(),
    state,
    ...(issuer !== undefined && { iss: issuer }),
  })
  const parameters = oauth4.validateAuthResponse(server, client, answer, state)
  const reply = await post((options) =>
    oauth4.authorizationCodeGrantRequest(
      server,
      client,
      oauth4.None(),
      parameters,
      redirectUri,
      verifier.reveal(),
      options,
    ),
  )
  if (!reply.ok) return reply
  const judged = judgeCodeReply(reply.value, [code, verifier])
  return judged.ok ? judged : fail(codeFault(waiting.id, reply.value, judged.fault, now()))
}

/** What the provider's no is about: the client or its scopes, its own limits, or this one code. */
function codeFault(
  provider: ProviderId,
  { host, headers }: PostReply,
  { status, error, words }: ReplyTrouble,
  now: EpochMs,
): LoginFault {
  if (error !== undefined && COMPLAINTS.has(error) && status < 500) {
    return { code: 'EQ_LOGIN_CONFIG', provider, host, error, words }
  }
  if (status !== 429) return { code: 'EQ_LOGIN_FAILED', host, status, words }
  const waitMs = retryAfterMs(headers, now)
  return {
    code: 'EQ_LOGIN_LIMITED',
    host,
    words,
    ...(waitMs !== undefined && { retryAfterMs: waitMs }),
  }
}

/** @source RFC 6749 5.2 */
const COMPLAINTS: ReadonlySet<string> = new Set([
  'invalid_client',
  'unauthorized_client',
  'invalid_scope',
])

async function revoke(
  deps: LoginFlowDeps,
  provider: ProviderId,
  oauth: OauthFacts,
  token: Secret,
  hint: 'refresh_token' | 'access_token',
): Promise<Result<void, LoginFault>> {
  const { clientId } = oauth
  if (clientId === undefined) return unsupported(provider, 'clientId')
  const url = await locate(deps, provider, oauth, 'revokeUrl')
  if (!url.ok) return url
  // RFC 7009 knows forms only, whatever the token endpoint takes.
  const post = createLoginPost(deps, url.value, 'form')
  const reply = await post((options) =>
    oauth4.revocationRequest(
      { issuer: url.value.origin, revocation_endpoint: url.value.href },
      { client_id: clientId },
      oauth4.None(),
      token.reveal(),
      { ...options, additionalParameters: { token_type_hint: hint } },
    ),
  )
  if (!reply.ok) return reply
  const judged = judgeRevocationReply(reply.value, [token])
  if (judged.ok) return judged
  const { status, words } = judged.fault
  return fail({ code: 'EQ_LOGIN_FAILED', host: reply.value.host, status, words })
}

/** The address of an endpoint, if a login may travel there. */
async function locate(
  deps: LoginFlowDeps,
  provider: ProviderId,
  oauth: OauthFacts,
  field: 'authorizeUrl' | 'tokenUrl' | 'revokeUrl',
): Promise<Result<URL, LoginFault>> {
  const text = oauth[field]
  if (text === undefined) return unsupported(provider, field)
  const url = URL.canParse(text) ? await deps.locate(text) : undefined
  return url && isSecure(url) ? ok(url) : fail({ code: 'EQ_LOGIN_UNSAFE_URL', provider, field })
}

function unsupported(provider: ProviderId, lacks: string): Result<never, LoginFault> {
  return fail({ code: 'EQ_LOGIN_UNSUPPORTED', provider, lacks })
}
