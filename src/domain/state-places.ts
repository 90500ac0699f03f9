/** What Equabot itself makes in its state folder. Everything else that lies there is none of its business. */

import { parseGrantId } from './grant.ts'
import { STRAY_NAME } from './inspection.ts'
import { parseAgentId, parseSessionId } from './names.ts'

const ROOT_FILE =
  /^(?:equabot\.json(?:\.bak|\.before-[^/]+)?|\.env|gateway-token|gateway\.json|clients\.json(?:\.prev)?|keychain-refused\.json|owner-locks|ledger\.sqlite(?:\.broken-[^/]+)?(?:-wal|-shm)?)$/
const AGENT_FILE =
  /^(?:auth-profiles\.json(?:\.prev|\.broken-[^/]+|\.before-[^/]+)?|auth-state\.json)$/

/**
 * What stands at a place of the state folder.
 *
 * @param below the path below the state folder, `/` between its parts; empty for the folder itself
 * @returns undefined for what Equabot does not make
 */
export function ownPlace(below: string): 'folder' | 'file' | undefined {
  if (below === '') return 'folder'
  const [room, name, inner, last, ...more] = below.split('/')
  if (more.length > 0) return undefined
  if (name === undefined) return roomOrFile(below)
  if (room === 'locks' || room === 'logs' || room === 'client-keys')
    return inner === undefined ? 'file' : undefined
  if (room === 'grants') return grantPlace(name, inner, last)
  if (room !== 'agents' || parseAgentId(name) !== name) return undefined
  if (inner === undefined) return 'folder'
  if (inner !== 'agent' && inner !== 'sessions') return undefined
  return last === undefined ? 'folder' : 'file'
}

/** Whether a writer of Equabot's leaves a file of this name when it is killed. */
export function isOwnStray(below: string): boolean {
  if (!STRAY_NAME.test(below)) return false
  const [room, name = '', inner, last = ''] = below.replace(STRAY_NAME, '').split('/')
  if (ownPlace(below) !== 'file') return false
  if (room === 'agents') {
    if (inner === 'agent') return AGENT_FILE.test(last)
    return last.endsWith('.json') && parseSessionId(last.slice(0, -'.json'.length)) !== undefined
  }
  if (room === 'grants') return inner === 'verdict'
  return name === ''
}

function roomOrFile(name: string): 'folder' | 'file' | undefined {
  if (['agents', 'client-keys', 'grants', 'locks', 'logs'].includes(name)) return 'folder'
  return ROOT_FILE.test(name.replace(STRAY_NAME, '')) ? 'file' : undefined
}

function grantPlace(
  grant: string,
  file: string | undefined,
  more: string | undefined,
): 'folder' | 'file' | undefined {
  if (!parseGrantId(grant) || more !== undefined) return undefined
  return file === undefined ? 'folder' : 'file'
}
