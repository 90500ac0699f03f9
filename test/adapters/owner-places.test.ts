import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { claudePlaces, codexFile } from '../../src/adapters/owner-places.ts'

const HOME = '/home/me'
const at = (values: Readonly<Record<string, string>>) => new Map(Object.entries(values))
const digest = (dir: string) => createHash('sha256').update(dir).digest('hex').slice(0, 8)

describe('Claude Code', () => {
  it.each([
    ['in the home', {}, '/home/me/.claude', ''],
    ['where CLAUDE_CONFIG_DIR says', { CLAUDE_CONFIG_DIR: '/c' }, '/c', `-${digest('/c')}`],
    ['in the home when that is empty', { CLAUDE_CONFIG_DIR: '' }, '/home/me/.claude', ''],
    [
      'where CLAUDE_SECURESTORAGE_CONFIG_DIR says, first of all',
      { CLAUDE_CONFIG_DIR: '/c', CLAUDE_SECURESTORAGE_CONFIG_DIR: '/s' },
      '/s',
      `-${digest('/s')}`,
    ],
    [
      'in the home when that is set and empty',
      { CLAUDE_CONFIG_DIR: '/c', CLAUDE_SECURESTORAGE_CONFIG_DIR: '' },
      '/home/me/.claude',
      '',
    ],
  ])('keeps its login %s', (_, values, dir, suffix) => {
    expect(claudePlaces(at({ HOME, ...values }))).toMatchObject({
      dir,
      file: `${dir}/.credentials.json`,
      keychainService: `Claude Code-credentials${suffix}`,
    })
  })

  it('digests the composed form of a folder name', () => {
    const [composed, decomposed] = ['/caf\u00e9', '/cafe\u0301']
    const service = (dir: string) =>
      claudePlaces(at({ HOME, CLAUDE_CONFIG_DIR: dir }))?.keychainService
    expect(service(decomposed)).toBe(service(composed))
  })

  it.each([
    ['me.too', 'me.too'],
    ['', 'claude-code-user'],
    ['me; rm', 'claude-code-user'],
  ])('names its Keychain account after the user %j: %s', (user, account) => {
    expect(claudePlaces(at({ HOME, USER: user }))?.keychainAccount).toBe(account)
  })

  it('has no place without a home', () => {
    expect(claudePlaces(at({}))).toBeUndefined()
    expect(claudePlaces(at({ CLAUDE_CONFIG_DIR: '/c' }))?.dir).toBe('/c')
  })
})

describe('Codex', () => {
  it.each([
    [{}, '/home/me/.codex/auth.json'],
    [{ CODEX_HOME: '/x' }, '/x/auth.json'],
    [{ CODEX_HOME: '' }, '/home/me/.codex/auth.json'],
  ])('with %j keeps its login in %s', (values, file) => {
    expect(codexFile(at({ HOME, ...values }))).toBe(file)
  })

  it('has no place without a home', () => {
    expect(codexFile(at({}))).toBeUndefined()
  })
})
