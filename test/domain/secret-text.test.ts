import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { ProviderFacts } from '../../src/domain/provider.ts'
import { BUILT_IN_PROVIDERS } from '../../src/domain/provider.ts'
import type { Result } from '../../src/domain/result.ts'
import { parseSecretText } from '../../src/domain/secret-text.ts'

const facts = (id: string): ProviderFacts => {
  const found = BUILT_IN_PROVIDERS.find((entry) => entry.id === id)
  if (!found) throw new TypeError(id)
  return found
}
const ANTHROPIC = facts('anthropic')
const MISTRAL = facts('mistral')
const KEY = `sk-ant-api03-${'FakeKey0'.repeat(12)}-AA`
const TOKEN = `sk-ant-oat01-${'FakeTok1'.repeat(12)}-AA`

const read = (text: string, provider = ANTHROPIC): string => {
  const parsed = parseSecretText(text, provider)
  return parsed.ok ? parsed.value.secret.reveal() : parsed.fault.code
}
const fault = (text: string, provider = ANTHROPIC): unknown => {
  const parsed: Result<unknown, unknown> = parseSecretText(text, provider)
  return parsed.ok ? 'accepted' : parsed.fault
}

describe('what is pasted around a secret comes off', () => {
  test.each([
    ['nothing', KEY],
    ['spaces and a line end', `  ${KEY} \n`],
    ['CRLF', `${KEY}\r\n`],
    ['a byte order mark', `\ufeff${KEY}`],
    ['a wrap', `${KEY.slice(0, 60)}\n${KEY.slice(60)}`],
    [
      'wraps with CRLF and indents',
      `${KEY.slice(0, 40)}\r\n  ${KEY.slice(40, 80)} \r\n\t${KEY.slice(80)}\r\n`,
    ],
    ['double quotes', `"${KEY}"`],
    ['single quotes', `'${KEY}'`],
    ['backticks', `\`${KEY}\``],
    ['an assignment', `ANTHROPIC_API_KEY=${KEY}`],
    ['export', `export ANTHROPIC_API_KEY=${KEY}`],
    ['export, quotes and a semicolon', `export ANTHROPIC_API_KEY="${KEY}";`],
    ['set of Windows', `set ANTHROPIC_API_KEY=${KEY}`],
    ['PowerShell', `$env:ANTHROPIC_API_KEY = "${KEY}"`],
    ['export and a wrap', `export KEY="${KEY.slice(0, 50)}\n${KEY.slice(50)}"\n`],
    ['a bearer header', `Authorization: Bearer ${KEY}`],
  ])('%s', (_, text) => {
    expect(read(text)).toBe(KEY)
  })

  test('wherever a terminal wrapped it', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.integer({ min: 1, max: TOKEN.length - 1 }), { maxLength: 4 }),
        fc.constantFrom('\n', '\r\n', '\n  ', ' \n'),
        (places, wrap) => {
          const cuts = [0, ...places.toSorted((a, b) => a - b), TOKEN.length]
          const parts = cuts.slice(1).map((end, index) => TOKEN.slice(cuts[index], end))
          expect(read(parts.join(wrap))).toBe(TOKEN)
        },
      ),
    )
  })

  test('but the padding of a base64 secret is part of it', () => {
    for (const secret of ['ZmFrZXNlY3JldA==', 'ZmFrZXNlY3JldDE=', 'Bearer ZmFrZXNlY3JldA==']) {
      expect(read(secret, MISTRAL)).toBe(secret.replace('Bearer ', ''))
    }
    expect(read('export K=ZmFrZXNlY3JldA==', MISTRAL)).toBe('ZmFrZXNlY3JldA==')
  })
})

describe('a secret of a known shape', () => {
  test('tells what type it is', () => {
    expect(parseSecretText(KEY, ANTHROPIC)).toMatchObject({ value: { shape: { type: 'api_key' } } })
    expect(parseSecretText(TOKEN, ANTHROPIC)).toMatchObject({ value: { shape: { type: 'token' } } })
  })

  test('of another provider is accepted without a shape', () => {
    expect(parseSecretText('gsk_fake', ANTHROPIC)).toEqual({
      ok: true,
      value: { secret: expect.anything() },
    })
  })

  test('that is cut off is refused, with both lengths', () => {
    expect(fault(TOKEN.slice(0, 40))).toEqual({
      code: 'EQ_SECRET_TRUNCATED',
      length: 40,
      minLength: 100,
      prefix: 'sk-ant-oat01-',
    })
  })
})

describe('is refused', () => {
  test.each(['', '   ', '\r\n', '""', "''", 'export ANTHROPIC_API_KEY=', 'ANTHROPIC_API_KEY='])(
    '%j: nothing was pasted',
    (text) => {
      expect(read(text)).toBe('EQ_SECRET_EMPTY')
    },
  )

  test.each([
    '...',
    '…',
    '********',
    'xxxxxxxx',
    '<your-key>',
    '[key]',
    'your-api-key',
    'YOUR_API_KEY',
    'sk-ant-...',
    'sk-xxxxxxxxxxxx',
    '$ANTHROPIC_API_KEY',
    '${ANTHROPIC_API_KEY}',
    'ANTHROPIC_API_KEY=<key>',
  ])('%j: a placeholder', (text) => {
    expect(read(text)).toBe('EQ_SECRET_PLACEHOLDER')
  })

  test.each([
    ['fäke-secret-0123456789', 2],
    ['fake secret', 5],
    ['fake\u200bsecret', 5],
    ['fake\u0000secret', 5],
  ])('%j: character %d is not visible ASCII', (text, position) => {
    expect(fault(text)).toEqual({ code: 'EQ_SECRET_CHARACTERS', position })
  })

  test('a paste of a whole file', () => {
    expect(fault('a'.repeat(8_193))).toEqual({ code: 'EQ_SECRET_TOO_LONG', maxLength: 8_192 })
  })
})

test('whatever is pasted, what is accepted is visible ASCII, and no fault repeats it', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', minLength: 12 }), (text) => {
      const parsed = parseSecretText(text, ANTHROPIC)
      return parsed.ok
        ? /^[\x21-\x7e]+$/.test(parsed.value.secret.reveal())
        : !JSON.stringify(parsed.fault).includes(text)
    }),
  )
})

test('a paste of many brackets or dots is judged at once', () => {
  for (const text of ['<', '.', '=', ' ', 'x=', '"'].map((part) => part.repeat(100_000))) {
    expect(parseSecretText(text, ANTHROPIC).ok).toBe(false)
  }
})

describe('a secret of another provider', () => {
  const told = (text: string, provider: ProviderFacts): unknown => {
    const parsed = parseSecretText(text, provider, BUILT_IN_PROVIDERS)
    return parsed.ok ? 'accepted' : parsed.fault
  }

  test('is refused by its longest beginning, with whose it is', () => {
    expect(told(TOKEN, facts('openai'))).toEqual({
      code: 'EQ_SECRET_FOREIGN',
      provider: 'openai',
      owner: 'anthropic',
      prefix: 'sk-ant-oat01-',
    })
  })

  test('is taken where it cannot be told: by its owner, a provider without shapes, a bare sk-', () => {
    expect(told(TOKEN, ANTHROPIC)).toBe('accepted')
    expect(told(TOKEN, MISTRAL)).toBe('accepted')
    expect(told('sk-1234-of-some-proxy', ANTHROPIC)).toBe('accepted')
    expect(told('sandbox-401', ANTHROPIC)).toBe('accepted')
  })
})
