import { describe, expect, test } from 'vitest'
import { secretFields } from '../../src/wire/settings-secrets.ts'

const LONG = 'A1b2C3d4E5f6G7h8I9j0K1l2'

describe('secret fields are', () => {
  test('keys that stand in the open', () => {
    const raw = {
      env: { OPENAI_API_KEY: 'short-but-1', OTHER: LONG, vars: { X_TOKEN: 'zz9zz' } },
      models: {
        providers: {
          a: { apiKey: 'p4ss' },
          'b.c': { headers: { Authorization: `Bearer ${LONG}`, 'x-api-key': '12ab', Note: LONG } },
        },
      },
    }
    expect(secretFields(raw)).toEqual([
      'env.OPENAI_API_KEY',
      'env.OTHER',
      'env.vars.X_TOKEN',
      'models.providers.a.apiKey',
      'models.providers.b.c.headers.Authorization',
      'models.providers.b.c.headers.x-api-key',
      'models.providers.b.c.headers.Note',
    ])
  })

  test('not references, plain words, flags, addresses or keys of the sandbox', () => {
    const raw = {
      env: {
        vars: {
          OPENAI_API_KEY: '${MINE}',
          EDITOR: 'vim',
          MAX_TOKENS: '4096',
          U: `http://x/${LONG}`,
        },
      },
      models: {
        providers: {
          ollama: { apiKey: 'ollama', baseUrl: 'http://127.0.0.1:1234/v1' },
          lm: { apiKey: 'lm-studio', baseUrl: `https://x.example/${LONG}` },
          sandbox: { apiKey: 'sandbox-429-retry-after-30' },
          a: {
            headers: {
              authorization: 'Bearer ${A}',
              'anthropic-beta': 'interleaved-thinking-2025-05-14',
              'anthropic-version': '2023-06-01',
            },
          },
        },
      },
    }
    expect(secretFields(raw)).toEqual([])
  })

  test('none in files of any other shape', () => {
    for (const raw of [undefined, null, 3, [], { env: [], models: { providers: 'x' } }]) {
      expect(secretFields(raw)).toEqual([])
    }
  })
})
