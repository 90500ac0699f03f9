/** Where Claude Code and Codex keep their logins, for the user who runs us. Found from variables alone; nothing is read. */

import { createHash } from 'node:crypto'
import { join, resolve } from 'node:path'

/** The variables of the process. */
type Variables = ReadonlyMap<string, string>

export interface ClaudePlaces {
  readonly dir: string
  readonly file: string
  readonly keychainService: string
  readonly keychainAccount: string
}

/**
 * Claude Code's places; undefined when nothing says where this user's home is.
 *
 * `CLAUDE_SECURESTORAGE_CONFIG_DIR` comes before `CLAUDE_CONFIG_DIR`; set and empty, it means the usual folder.
 */
export function claudePlaces(variables: Variables): ClaudePlaces | undefined {
  const storage = variables.get('CLAUDE_SECURESTORAGE_CONFIG_DIR')
  const named = storage ?? variables.get('CLAUDE_CONFIG_DIR')
  const chosen = named === undefined || named.trim() === '' ? undefined : named
  const dir = chosen === undefined ? inHome(variables, '.claude') : resolve(chosen)
  if (dir === undefined) return undefined
  const user = variables.get('USER') ?? ''
  return {
    dir,
    file: join(dir, '.credentials.json'),
    keychainService: `Claude Code-credentials${chosen === undefined ? '' : `-${shortDigest(chosen)}`}`,
    keychainAccount: /^[A-Za-z0-9._-]+$/.test(user) ? user : 'claude-code-user',
  }
}

/** Codex's file; undefined when nothing says where this user's home is. */
export function codexFile(variables: Variables): string | undefined {
  const named = variables.get('CODEX_HOME')
  const dir =
    named === undefined || named.trim() === '' ? inHome(variables, '.codex') : resolve(named)
  return dir === undefined ? undefined : join(dir, 'auth.json')
}

/** Claude Code digests the folder's name as it was given to it. */
function shortDigest(dir: string): string {
  return createHash('sha256').update(dir.normalize('NFC')).digest('hex').slice(0, 8)
}

function inHome(variables: Variables, name: string): string | undefined {
  const home = variables.get(process.platform === 'win32' ? 'USERPROFILE' : 'HOME')
  return home === undefined || home.trim() === '' ? undefined : join(resolve(home), name)
}
