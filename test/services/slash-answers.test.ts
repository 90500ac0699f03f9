import { describe, expect, test } from 'vitest'
import type { Crossing } from '../../src/domain/event.ts'
import type { Fault } from '../../src/domain/fault.ts'
import { MAIN_AGENT } from '../../src/domain/names.ts'
import type { SessionHead } from '../../src/domain/ports.ts'
import type { Result } from '../../src/domain/result.ts'
import { orThrow } from '../../src/domain/equabot-error.ts'
import { fail } from '../../src/domain/result.ts'
import { parseSlash, SLASH_COMMANDS } from '../../src/domain/slash.ts'
import type { World } from '../../src/domain/world.ts'
import type { SlashAnswer } from '../../src/services/slash-answers.ts'
import { answerSlash } from '../../src/services/slash-answers.ts'
import { aProfile, aWorld, FAKE_NOW } from '../../src/testing.ts'
import { profile, session } from '../names-from.ts'
import { settingsFrom } from '../settings-from.ts'

const HEAD: SessionHead = {
  id: session('main'),
  agent: MAIN_AGENT,
  createdAt: FAKE_NOW - 3_600_000,
  updatedAt: FAKE_NOW - 3_600_000,
  turns: 4,
}
const PINNED: SessionHead = {
  ...HEAD,
  model: 'openai/gpt-a',
  pin: { profile: profile('openai:c'), source: 'user' },
}
const WORLD = aWorld({
  settings: settingsFrom({
    agents: {
      defaults: {
        model: 'anthropic/claude-opus',
        models: {
          'anthropic/claude-opus': { alias: 'Opus' },
          'openai/gpt-a': {},
          'openrouter/anthropic/claude-opus-4-5': {},
        },
      },
    },
  }),
  profiles: [aProfile('anthropic:work'), aProfile('anthropic:home'), aProfile('openai:c')],
})

function type(message: string, head = HEAD, world: World = WORLD): Result<SlashAnswer, Fault> {
  const command = parseSlash(message, ['Opus'])
  if (!command) throw new TypeError(`"${message}" is no command`)
  return command.ok ? answerSlash(world, head, command.value) : fail(command.fault)
}
const after = (message: string, head = HEAD): SessionHead | undefined =>
  orThrow(type(message, head)).head
const text = (message: string, head = HEAD, world = WORLD): string =>
  orThrow(type(message, head, world)).text
const code = (message: string, world = WORLD): string | undefined => {
  const answer = type(message, HEAD, world)
  return answer.ok ? undefined : answer.fault.code
}

describe('/model status', () => {
  const status = parseSlash('/model status', [])
  const lines = (head: SessionHead, crossing?: Crossing): readonly string[] => {
    if (!status?.ok) throw new TypeError('no command')
    return orThrow(answerSlash(WORLD, head, status.value, crossing)).text.split('\n')
  }

  test('says who keeps the session to its credential, and how to end that', () => {
    expect(lines(PINNED)).toContain('Pin: openai:c, by your word; remove it: /model unpin')
    const auto = { ...PINNED, pin: { profile: profile('openai:c'), source: 'auto' as const } }
    expect(lines(auto).join('\n')).toContain('Pin: openai:c, by itself, to keep the prompt cache')
    expect(lines(HEAD).join('\n')).not.toMatch(/^Pin/m)
  })

  test('says when it was last somebody else who paid', () => {
    const crossing: Crossing = {
      when: FAKE_NOW - 120_000,
      from: { profile: profile('anthropic:work'), lane: 'subscription' },
      to: { profile: profile('anthropic:home'), lane: 'metered' },
    }
    expect(lines(HEAD, crossing)).toContain(
      'Last change of payer: 2 min ago, from anthropic:work (paid by subscription) to anthropic:home (paid by use)',
    )
    expect(lines(HEAD).join('\n')).not.toContain('payer')
  })
})

describe('/model', () => {
  test('lists the models by number, the present one marked, and changes nothing', () => {
    const answer = orThrow(type('/model'))
    expect(answer.head).toBeUndefined()
    expect(answer.text.split('\n')).toEqual([
      'Model now: anthropic/claude-opus',
      'Pick one: /model <number>, /model <model or alias>, or with @<profile> to pin a credential',
      '  1) anthropic/claude-opus (Opus)  ← now',
      '  2) openai/gpt-a',
      '  3) openrouter/anthropic/claude-opus-4-5',
      '  4) sandbox/sandbox-echo',
      '',
      'Who would serve, and why: /model status',
    ])
    expect(text('/model list')).toBe(answer.text)
  })

  test('takes a number of that list, and only such a one', () => {
    expect(after('/model 2')).toMatchObject({ model: 'openai/gpt-a' })
    expect(type('/model 9')).toMatchObject({
      fault: { code: 'EQ_SLASH_NUMBER', number: 9, count: 4 },
    })
    expect(code('/model 0')).toBe('EQ_SLASH_NUMBER')
  })

  test('keeps everything after the first slash of a model', () => {
    expect(after('/model openrouter/anthropic/claude-opus-4-5')).toMatchObject({
      model: 'openrouter/anthropic/claude-opus-4-5',
    })
  })

  test('with a profile pins the session to it and says so', () => {
    const answer = orThrow(type('/model Opus@anthropic:work'))
    expect(answer.head).toMatchObject({ pin: { profile: 'anthropic:work', source: 'user' } })
    expect(answer.text).toBe(
      'Model of this session: anthropic/claude-opus (Opus), the default, pinned to anthropic:work',
    )
  })

  test('of the default removes the session’s own choice', () => {
    for (const typed of ['/model anthropic/claude-opus', '/opus', '/model default']) {
      expect(after(typed, PINNED)).not.toHaveProperty('model')
    }
  })

  test('of another provider removes the pin; of the same provider keeps it', () => {
    expect(after('/model Opus', PINNED)).not.toHaveProperty('pin')
    expect(after('/model openai/gpt-a', PINNED)).toHaveProperty('pin')
  })

  test.each([
    ['/model Opus@anthropic:nobody', 'EQ_PROFILE_UNKNOWN'],
    ['/model Opus@openai:c', 'EQ_PROFILE_FOREIGN'],
    ['/model google/x', 'EQ_MODEL_NOT_ALLOWED'],
    ['/model nobody/x', 'EQ_PROVIDER_UNKNOWN'],
    ['/model whatever', 'EQ_MODEL_UNKNOWN'],
  ])('%s is refused, and nothing is stored', (typed, fault) => {
    expect(code(typed)).toBe(fault)
  })

  test('names the nearest profile where the pin names none', () => {
    expect(type('/model Opus@anthropic:wrok')).toMatchObject({
      fault: { nearest: 'anthropic:work' },
    })
  })

  test('does not call a profile unknown while the book cannot be read', () => {
    const bookFault: Fault = { code: 'EQ_STORE_UNREADABLE', path: '/book', errno: 'EACCES' }
    expect(code('/model Opus@anthropic:gone', { ...WORLD, bookFault })).toBe('EQ_STORE_UNREADABLE')
  })
})

describe('/model unpin', () => {
  test('removes the pin and keeps the model', () => {
    expect(after('/model unpin', PINNED)).toEqual({
      ...HEAD,
      model: 'openai/gpt-a',
      updatedAt: FAKE_NOW,
    })
  })

  test('without a pin changes nothing', () => {
    expect(orThrow(type('/model unpin'))).toEqual({ text: 'This session has no pin' })
  })
})

describe('/model status', () => {
  test('names model, endpoint, protocol and every candidate in order, the next one marked', () => {
    expect(text('/model status').split('\n')).toEqual([
      'Model: anthropic/claude-opus',
      'Agent: main',
      'Endpoint: https://api.anthropic.com, protocol anthropic-messages',
      'Credentials:',
      expect.stringMatching(/^ {2}next +anthropic:home: /),
      expect.stringMatching(/^ {2}2\. +anthropic:work: /),
    ])
  })

  test('shows a configured base URL', () => {
    const settings = settingsFrom({
      models: { providers: { anthropic: { baseUrl: 'http://127.0.0.1:9' } } },
    })
    const world = aWorld({ settings, profiles: [aProfile('anthropic:a')] })
    expect(text('/model status', HEAD, world)).toContain('Endpoint: http://127.0.0.1:9,')
  })

  test('says of the sandbox that it is inside', () => {
    expect(text('/model status', HEAD, aWorld())).toContain('Endpoint: inside Equabot')
  })

  test('shows why a pinned session tries nobody else', () => {
    const world = { ...WORLD }
    const head = { ...HEAD, pin: { profile: profile('anthropic:work'), source: 'user' as const } }
    expect(text('/model status', head, world)).toMatch(
      /next +anthropic:work: pinned in this session\n.*anthropic:home: this session is pinned to anthropic:work/,
    )
  })
})

describe('/models', () => {
  test('counts the models of each provider', () => {
    expect(text('/models')).toMatch(/^anthropic: 1$/m)
  })

  test('lists those of one provider, in any spelling', () => {
    expect(text('/models Claude').split('\n')[0]).toBe('anthropic/claude-opus')
    expect(text('/models groq')).toContain('No model of groq is configured')
  })

  test('of an unknown provider names the nearest', () => {
    expect(type('/models opneai')).toMatchObject({
      fault: { code: 'EQ_PROVIDER_UNKNOWN', nearest: 'openai' },
    })
  })
})

describe('/status', () => {
  test('names session, model and the credential that serves next', () => {
    expect(text('/status', PINNED).split('\n')).toEqual([
      'Session: main of agent main, 4 turns, begun 1 h ago',
      'Model: openai/gpt-a, pinned to openai:c',
      'Credential: openai:c (metered)',
    ])
  })

  test('says so when none can serve', () => {
    const world = aWorld({
      settings: settingsFrom({ agents: { defaults: { model: 'openai/x' } } }),
    })
    expect(text('/status', HEAD, world)).toContain('none can serve')
  })
})

describe('/new', () => {
  test('begins the conversation afresh and keeps model and pin', () => {
    expect(after('/new', PINNED)).toEqual({ ...PINNED, startedAt: FAKE_NOW, updatedAt: FAKE_NOW })
  })

  test('leaves what follows as the first message', () => {
    expect(orThrow(type('/reset how are you?')).message).toBe('how are you?')
    expect(orThrow(type('/new'))).not.toHaveProperty('message')
  })
})

test('/help names every command', () => {
  for (const { usage, gives } of SLASH_COMMANDS) {
    expect(text('/help')).toContain(usage)
    expect(text('/help')).toContain(gives)
  }
})

test('no command that fails leaves a changed session, and the one given is never changed', () => {
  const before = structuredClone(PINNED)
  for (const typed of ['/model 9', '/model Opus', '/model unpin', '/new x', '/model nobody/x']) {
    type(typed, PINNED)
  }
  expect(PINNED).toEqual(before)
})
