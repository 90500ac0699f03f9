import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { createFiles } from '../../src/adapters/files.ts'
import { createProgramConfigs } from '../../src/adapters/program-configs.ts'
import { fail, ok } from '../../src/domain/result.ts'
import { fakeClock } from '../../src/testing.ts'
import { temporaryFolder } from './temporary-folder.ts'

function open(variables: Readonly<Record<string, string>> = {}) {
  const userDir = temporaryFolder()
  const home = { userDir, variables: new Map(Object.entries(variables)) }
  return {
    userDir,
    configs: createProgramConfigs({ home, files: createFiles(), clock: fakeClock() }),
  }
}

describe('the settings of a program', () => {
  test('stand where it looks for them', async () => {
    const { userDir, configs } = open()
    expect(await configs.find('claude-code')).toEqual(ok(join(userDir, '.claude/settings.json')))
    expect(await configs.find('codex')).toEqual(ok(join(userDir, '.codex/config.toml')))
    expect(await configs.find('opencode')).toEqual(
      ok(join(userDir, '.config/opencode/opencode.json')),
    )
    const moved = open({
      CLAUDE_CONFIG_DIR: '/c',
      CODEX_HOME: '/x',
      XDG_CONFIG_HOME: '/g',
    }).configs
    expect(await moved.find('claude-code')).toEqual(ok('/c/settings.json'))
    expect(await moved.find('codex')).toEqual(ok('/x/config.toml'))
    expect(await moved.find('opencode')).toEqual(ok('/g/opencode/opencode.json'))
  })

  test('of opencode may end in jsonc, but not stand in both', async () => {
    const { userDir, configs } = open()
    const folder = join(userDir, '.config/opencode')
    mkdirSync(folder, { recursive: true })
    writeFileSync(join(folder, 'opencode.jsonc'), '{}')
    expect(await configs.find('opencode')).toEqual(ok(join(folder, 'opencode.jsonc')))
    writeFileSync(join(folder, 'opencode.json'), '{}')
    expect(await configs.find('opencode')).toMatchObject({
      fault: { code: 'EQ_SETUP_UNSAFE', problem: 'several_files' },
    })
  })
})

describe('an edit', () => {
  test('keeps a copy of what was there, and writes nothing where nothing changes', async () => {
    const { userDir, configs } = open()
    const path = join(userDir, 'folder/settings.json')
    expect(await configs.edit(path, () => ok('one'))).toEqual(ok({ changed: true }))
    expect(await configs.edit(path, () => ok('one'))).toEqual(ok({ changed: false }))
    const edited = await configs.edit(path, (text) => ok(`${text} two`))
    if (!edited.ok) throw new Error(edited.fault.code)
    expect(edited.value.changed).toBe(true)
    expect(readFileSync(path, 'utf8')).toBe('one two')
    expect(readFileSync(edited.value.backup ?? '', 'utf8')).toBe('one')
    expect(readdirSync(join(userDir, 'folder'))).toHaveLength(2)
  })

  test('that is refused leaves everything as it was', async () => {
    const { userDir, configs } = open()
    const path = join(userDir, 'settings.json')
    writeFileSync(path, 'mine')
    const refused = await configs.edit(path, () =>
      fail({ code: 'EQ_SETUP_UNSAFE', path, problem: 'shape' }),
    )
    expect(refused.ok).toBe(false)
    expect(readdirSync(userDir)).toEqual(['settings.json'])
    expect(readFileSync(path, 'utf8')).toBe('mine')
  })

  test('of a link changes what it leads to', async () => {
    const { userDir, configs } = open()
    writeFileSync(join(userDir, 'dotfile'), 'mine')
    symlinkSync(join(userDir, 'dotfile'), join(userDir, 'settings.json'))
    const edited = await configs.edit(join(userDir, 'settings.json'), () => ok('ours'))
    expect(edited.ok).toBe(true)
    expect(readFileSync(join(userDir, 'dotfile'), 'utf8')).toBe('ours')
  })
})
