import type { ConfigFault } from '../src/domain/fault.ts'
import type { Result } from '../src/domain/result.ts'
import { orThrow } from '../src/domain/equabot-error.ts'
import { ok } from '../src/domain/result.ts'
import type { Settings } from '../src/domain/settings.ts'
import { parseSettings } from '../src/wire/settings-file.ts'

type Raw = Readonly<Record<string, unknown>>

/** What the file with this content means. */
export function decodeSettings(raw: Raw): Result<Settings, ConfigFault> {
  const parsed = parseSettings(JSON.stringify(raw), '/state/equabot.json')
  return parsed.ok ? ok(parsed.value.settings) : parsed
}

/** Settings as a user writes them; throws where the file would be refused. */
export function settingsFrom(raw: Raw): Settings {
  return orThrow(decodeSettings(raw))
}
