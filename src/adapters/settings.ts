/** The settings file on disk. Reading never writes; an edit that does not fit leaves the file as it was. */

import type { ConfigFault, StoreFault } from '../domain/fault.ts'
import type { LoadedSettings, SettingsStore } from '../domain/ports.ts'
import type { Result } from '../domain/result.ts'
import { fail, ok } from '../domain/result.ts'
import { DEFAULT_SETTINGS } from '../domain/settings.ts'
import { NEW_SETTINGS_TEXT, editSettings, parseSettings } from '../wire/settings-file.ts'
import type { Files, FileText } from './files.ts'
import type { Home } from './home.ts'
import type { Locks } from './lock.ts'

type Loaded = Result<LoadedSettings, ConfigFault | StoreFault>

export interface SettingsStoreDeps {
  readonly home: Pick<Home, 'configPath'>
  readonly locks: Pick<Locks, 'withLock'>
  readonly files: Pick<Files, 'read' | 'version' | 'replace' | 'write' | 'realPath'>
}

export function createSettingsStore({ home, locks, files }: SettingsStoreDeps): SettingsStore {
  const path = home.configPath
  let cached: { readonly version: string; readonly loaded: Loaded } | undefined

  function load(file: FileText | undefined): Loaded {
    if (!file) {
      return ok({ settings: DEFAULT_SETTINGS, path, exists: false, migrated: [], raw: {} })
    }
    const parsed = parseSettings(file.text, path)
    const loaded: Loaded = parsed.ok ? ok({ ...parsed.value, path, exists: true }) : parsed
    cached = { version: file.version, loaded }
    return loaded
  }

  async function read(): Promise<Loaded> {
    const version = await files.version(path)
    if (!version.ok) return version
    if (cached && cached.version === version.value) return cached.loaded
    const file = await files.read(path)
    return file.ok ? load(file.value) : file
  }

  async function editUnderLock(edits: Parameters<SettingsStore['edit']>[0]): Promise<Loaded> {
    const file = await files.read(path)
    if (!file.ok) return file
    const before = load(file.value)
    if (!before.ok) return before

    const text = file.value?.text ?? NEW_SETTINGS_TEXT
    const next = editSettings(text, path, edits(before.value))
    if (!next.ok) return next
    if (next.value === text) return before

    if (before.value.migrated.length > 0) {
      const real = await files.realPath(path)
      if (!real.ok) return real
      const kept = await files.write(backupPathOf(real.value), text)
      if (!kept.ok) return kept
    }
    const written = await files.replace(path, next.value)
    if (!written.ok) return written
    const after = parseSettings(next.value, path)
    return after.ok ? ok({ ...after.value, path, exists: true }) : fail(after.fault)
  }

  return {
    read,
    async edit(edits) {
      const real = await files.realPath(path)
      return real.ok ? locks.withLock(real.value, () => editUnderLock(edits)) : real
    },
    path: () => path,
  }
}

/** Where the file is kept as it was before older spellings in it were renewed. */
function backupPathOf(realPath: string): string {
  return `${realPath}.bak`
}
