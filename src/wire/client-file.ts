/**
 * The codec of `clients.json`: keys of the gateway's callers as digests, never as text.
 *
 * Unknown fields survive at every level. An entry that cannot be read stays in the file, is reported and opens nothing:
 * limits that are not understood must not be passed over.
 */

import * as v from 'valibot'

import type { Client } from '../domain/client.ts'
import type { AgentId, ClientName, ProfileId } from '../domain/names.ts'
import { parseAgentId, parseClientName, parseProfileId } from '../domain/names.ts'
import { isRecord } from '../domain/plain-data.ts'
import type { FileProblem } from '../domain/ports.ts'
import type { Result } from '../domain/result.ts'
import { fail, ok } from '../domain/result.ts'
import { BUDGET } from './budget-schema.ts'
import type { JsonObject } from './decode.ts'
import { decode, parseJson } from './decode.ts'
import { Instant } from './instant.ts'

export interface ClientFile {
  readonly clients: ReadonlyMap<ClientName, Client>
  readonly problems: readonly FileProblem[]
  /** The file as plain data. */
  readonly document: JsonObject
}

/** Why the file as a whole cannot be used. */
export type ClientFileFault =
  | { readonly code: 'EQ_STORE_SYNTAX'; readonly line: number; readonly column: number }
  | { readonly code: 'EQ_STORE_FIELD'; readonly field: string; readonly expected: string }
  | { readonly code: 'EQ_STORE_NEWER'; readonly version: number; readonly supported: number }

const VERSION = 1
const PREFIX = 'sha256:'

export const NO_CLIENT_FILE: ClientFile = { clients: new Map(), problems: [], document: {} }

const AgentName = v.custom<AgentId>(
  (value) => typeof value === 'string' && parseAgentId(value) === value,
  'the name of an agent',
)
const ProfileName = v.custom<ProfileId>(
  (value) => typeof value === 'string' && parseProfileId(value) === value,
  'a name such as anthropic:work',
)
const Digest = v.pipe(
  v.string(),
  v.regex(/^sha256:[0-9a-f]{64}$/, '"sha256:" and 64 hexadecimal digits'),
)
const Positive = v.pipe(v.number(), v.integer(), v.minValue(1, 'a whole number above 0'))

/** A limit of a kind that this version does not know would be passed over in silence, so there may be none. */
const KNOWN_LIMITS = v.strictObject({
  agent: v.exactOptional(AgentName),
  models: v.exactOptional(v.pipe(v.array(v.string()), v.minLength(1, 'at least one model'))),
  profiles: v.exactOptional(v.pipe(v.array(ProfileName), v.minLength(1, 'at least one profile'))),
  budget: v.exactOptional(BUDGET),
  rate: v.exactOptional(v.object({ requests: Positive, perMs: Positive })),
  expiresAt: v.exactOptional(Instant),
})

const ENTRY = v.object({
  key: Digest,
  createdAt: Instant,
  rotatedAt: v.exactOptional(Instant),
  limits: v.optional(KNOWN_LIMITS, {}),
})

export function parseClientFile(text: string): Result<ClientFile, ClientFileFault> {
  const parsed = parseJson(text)
  if (!parsed.ok) return fail({ code: 'EQ_STORE_SYNTAX', ...parsed.fault })
  const document = parsed.value
  if (!isRecord(document)) return wrong('the whole file', 'an object')
  const { version = VERSION, clients = {} } = document
  if (typeof version !== 'number') return wrong('version', 'a number')
  if (version > VERSION) return fail({ code: 'EQ_STORE_NEWER', version, supported: VERSION })
  if (!isRecord(clients)) return wrong('clients', 'an object')

  const found = new Map<ClientName, Client>()
  const problems: FileProblem[] = []
  for (const [key, raw] of Object.entries(clients)) {
    const name = parseClientName(key)
    const entry = decode(ENTRY, raw)
    if (!name || name !== key) {
      problems.push({ field: `clients.${key}`, problem: 'expected a name such as laptop' })
    } else if (entry.ok) {
      const { key: digest, limits, createdAt, rotatedAt } = entry.value
      found.set(name, {
        name,
        digest: digest.slice(PREFIX.length),
        createdAt,
        ...(rotatedAt !== undefined && { rotatedAt }),
        ...limits,
      })
    } else {
      const field = entry.fault.field === '' ? key : `${key}.${entry.fault.field}`
      problems.push({ field: `clients.${field}`, problem: `expected ${entry.fault.expected}` })
    }
  }
  return ok({ clients: found, problems, document })
}

/** The text of the file once it holds these clients. Entries that did not change are not touched. */
export function renderClientFile(
  { clients, document }: ClientFile,
  next: ReadonlyMap<ClientName, Client>,
): string {
  const { clients: raw } = document
  const entries = new Map(isRecord(raw) ? Object.entries(raw) : [])
  for (const name of clients.keys()) if (!next.has(name)) entries.delete(name)
  for (const [name, client] of next) {
    if (clients.get(name) === client) continue
    const known = entries.get(name)
    entries.set(name, { ...(isRecord(known) ? known : {}), ...rendered(client) })
  }
  const result = { version: VERSION, ...document, clients: Object.fromEntries(entries) }
  return `${JSON.stringify(result, null, 2)}\n`
}

function rendered({ name: _name, digest, createdAt, rotatedAt, ...limits }: Client): JsonObject {
  return {
    key: `${PREFIX}${digest}`,
    createdAt,
    ...(rotatedAt !== undefined && { rotatedAt }),
    limits,
  }
}

function wrong(field: string, expected: string): Result<never, ClientFileFault> {
  return fail({ code: 'EQ_STORE_FIELD', field, expected })
}
