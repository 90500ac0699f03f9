import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseSlash, SLASH_COMMANDS } from '../../src/domain/slash.ts'

const parse = (message: string, aliases: readonly string[] = ['Gpt', 'opus']): unknown => {
  const parsed = parseSlash(message, aliases)
  if (!parsed) return 'text'
  return parsed.ok ? parsed.value : parsed.fault
}

describe('typed after a slash', () => {
  test.each([
    ['/model', { name: 'model_list' }],
    ['/MODEL list', { name: 'model_list' }],
    ['/model:', { name: 'model_list' }],
    ['  /model   3 ', { name: 'model_pick', number: 3 }],
    ['/model 0', { name: 'model_pick', number: 0 }],
    ['/model status', { name: 'model_status' }],
    ['/model unpin', { name: 'model_unpin' }],
    [
      '/model gpt-5@openai:work',
      { name: 'model_set', ref: { model: 'gpt-5', profile: 'openai:work' } },
    ],
    ['/model: opus', { name: 'model_set', ref: { model: 'opus' } }],
    ['/model gpt-5@myprofile', { name: 'model_set', ref: { model: 'gpt-5@myprofile' } }],
    [
      '/model openrouter/anthropic/claude-opus-4-5',
      { name: 'model_set', ref: { provider: 'openrouter', model: 'anthropic/claude-opus-4-5' } },
    ],
    ['/models', { name: 'models' }],
    ['/models anthropic', { name: 'models', provider: 'anthropic' }],
    ['/status', { name: 'status' }],
    ['/help', { name: 'help' }],
    ['/new', { name: 'new', rest: '' }],
    ['/reset how are\nyou?', { name: 'new', rest: 'how are\nyou?' }],
  ])('%j is a command', (message, command) => {
    expect(parse(message)).toEqual(command)
  })

  test.each(['/gpt', '/GPT', '/gpt:', '/Gpt '])('%j is the alias', (message) => {
    expect(parse(message)).toEqual({ name: 'model_set', ref: { model: 'Gpt' } })
  })

  test.each([
    ['/gpt-turbo', { code: 'EQ_SLASH_UNKNOWN', command: 'gpt-turbo' }],
    ['/modle', { code: 'EQ_SLASH_UNKNOWN', command: 'modle', nearest: 'model' }],
    ['/gpt tell me', { code: 'EQ_SLASH_ARGUMENT', command: 'gpt', text: 'tell me' }],
    [
      '/model @anthropic:work',
      { code: 'EQ_SLASH_ARGUMENT', command: 'model', text: '@anthropic:work' },
    ],
    [
      '/model list@anthropic:work',
      { code: 'EQ_SLASH_ARGUMENT', command: 'model', text: 'list@anthropic:work' },
    ],
    ['/model a b', { code: 'EQ_SLASH_ARGUMENT', command: 'model', text: 'a b' }],
    ['/models a b', { code: 'EQ_SLASH_ARGUMENT', command: 'models', text: 'a b' }],
    ['/status now', { code: 'EQ_SLASH_ARGUMENT', command: 'status', text: 'now' }],
  ])('%j is a mistake that is told', (message, fault) => {
    expect(parse(message)).toEqual(fault)
  })

  test.each(['gpt', 'use /gpt please', '/etc/hosts', '/', '//x', '/ model', '/1', 'a /model', ''])(
    '%j is text',
    (message) => {
      expect(parse(message)).toBe('text')
    },
  )

  test('anything is a command, a mistake or text, and never an exception', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const parsed = parseSlash(`/${text}`, ['opus'])
        expect(parsed === undefined || typeof parsed.ok === 'boolean').toBe(true)
      }),
    )
  })
})

test('every command of /help is one that is understood', () => {
  for (const { usage } of SLASH_COMMANDS) {
    const typed = usage
      .replace('<n>', '1')
      .replace('<model or alias>', 'opus')
      .replace('<model>@<profile>', 'opus@anthropic:work')
      .replace(/ \[.*\]$/, '')
    expect(parseSlash(typed, [])?.ok).toBe(true)
  }
})
