/** Settings files of other programs, which may be links into a folder of dotfiles. */

import { join } from 'node:path'

import type { Clock } from '../domain/ports.ts'
import { fail, ok } from '../domain/result.ts'
import type { ProgramConfigs } from '../domain/setup.ts'
import { fileStamp } from '../domain/time.ts'
import type { Files } from './files.ts'
import type { Home } from './home.ts'

export function createProgramConfigs({
  home,
  files,
  clock,
}: {
  readonly home: Pick<Home, 'userDir' | 'variables'>
  readonly files: Pick<Files, 'read' | 'version' | 'replace' | 'copy' | 'realPath'>
  readonly clock: Clock
}): ProgramConfigs {
  /** The folder that a variable names, else this one of the user's home. */
  function folder(variable: string, ...usual: readonly string[]): string | undefined {
    const named = home.variables.get(variable)?.trim()
    if (named !== undefined && named !== '') return named
    return home.userDir === undefined ? undefined : join(home.userDir, ...usual)
  }

  async function opencodeFile(): ReturnType<ProgramConfigs['find']> {
    const named = home.variables.get('OPENCODE_CONFIG')?.trim()
    if (named !== undefined && named !== '') return ok(named)
    const settings = folder('XDG_CONFIG_HOME', '.config')
    if (settings === undefined) return fail({ code: 'EQ_HOME_MISSING' })
    const json = join(settings, 'opencode', 'opencode.json')
    const commented = `${json}c`
    const [plain, other] = await Promise.all([files.version(json), files.version(commented)])
    if (!plain.ok) return plain
    if (!other.ok) return other
    if (other.value === undefined) return ok(json)
    if (plain.value === undefined) return ok(commented)
    return fail({ code: 'EQ_SETUP_UNSAFE', path: json, problem: 'several_files', field: commented })
  }

  return {
    async find(program) {
      if (program === 'opencode') return opencodeFile()
      const [dir, name] =
        program === 'codex'
          ? [folder('CODEX_HOME', '.codex'), 'config.toml']
          : [folder('CLAUDE_CONFIG_DIR', '.claude'), 'settings.json']
      return dir === undefined ? fail({ code: 'EQ_HOME_MISSING' }) : ok(join(dir, name))
    },

    async read(path) {
      const read = await files.read(path)
      return read.ok ? ok(read.value?.text) : read
    },

    async edit(path, change) {
      const read = await files.read(path)
      if (!read.ok) return read
      const text = read.value?.text
      const next = change(text)
      if (!next.ok) return next
      if (next.value === text) return ok({ changed: false })
      const backup =
        text === undefined ? undefined : `${path}.before-equabot-${fileStamp(clock.now())}`
      if (backup !== undefined) {
        const copied = await files.copy(path, backup)
        if (!copied.ok) return copied
      }
      const written = await files.replace(path, next.value)
      if (!written.ok) return written
      return ok({ changed: true, ...(backup !== undefined && { backup }) })
    },
  }
}
