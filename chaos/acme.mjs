/** A user with one login at the fake provider `acme`, in the files where Equabot keeps it. */
import { readFileSync } from 'node:fs'
import { BOOK, createHome, SETTINGS, writeFile } from './stand.mjs'

export const PROFILE = 'acme:me'
export const MODEL = 'acme/m'
export const RENEW = ['models', 'auth', 'renew', PROFILE, '--json']
export const ASK = ['agent', '--message', 'hi', '--model', MODEL]

/**
 * A HOME with a new login of this server in its book.
 *
 * @param {object} options those of the server's `login`; `expired` (true unless told): its access token has ended
 */
export function acmeHome(server, { expired = true, ...options } = {}) {
  const login = server.login(options)
  if (expired) server.families.expire(login.family)
  const home = createHome({
    [BOOK]: bookWith(login, expired),
    [SETTINGS]: settingsFor(server),
  })
  return { ...home, login, family: login.family }
}

function bookWith(login, expired) {
  const expires = expired ? Date.now() - 60_000 : login.expiresAt
  const entry = {
    type: 'oauth',
    provider: 'acme',
    access: login.access,
    refresh: login.refresh,
    expires,
  }
  return { version: 1, profiles: { [PROFILE]: entry } }
}

function settingsFor(server) {
  const acme = {
    baseUrl: `${server.url}/v1`,
    protocol: 'anthropic-messages',
    models: [{ id: 'm' }],
    oauth: { tokenUrl: server.tokenUrl, clientId: 'chaos-client' },
  }
  return { models: { providers: { acme } } }
}

/** Puts another new login, whose access token has ended, into the book of a home. */
export function anotherLogin(server, home) {
  const login = server.login()
  server.families.expire(login.family)
  writeFile(home.bookPath, bookWith(login, true))
  return login
}

/** The login as the book holds it now. */
function storedLogin(home) {
  const { access, refresh, expires } = JSON.parse(readFileSync(home.bookPath, 'utf8')).profiles[
    PROFILE
  ]
  return { access, refresh, expires }
}

/** Whether the book holds what the server gave out last, and the server still takes it. */
export function isWell(server, home) {
  const { alive } = server.families.get(home.family)
  const current = server.families.current(home.family)
  const stored = storedLogin(home)
  return alive && stored.refresh === current.refresh && stored.access === current.access
}

/** How often each refresh token of this login was sent. */
export function sendsOf(server, { family }) {
  return server.sends.filter((send) => send.family === family)
}
