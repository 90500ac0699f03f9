import { expect, test } from 'vitest'
import { clientName } from '../../src/gateway/client-name.ts'

test('a client bears the name of its product, without a version', () => {
  expect(clientName('claude-cli/2.0.1 (external, cli)')).toBe('claude-cli')
  expect(clientName('Anthropic/JS 1.12.0')).toBe('Anthropic/JS')
  expect(clientName('curl/8.5.0')).toBe('curl')
  expect(clientName('node')).toBe('node')
  expect(clientName('Mozilla/5.0 (X11; Linux)')).toBe('Mozilla')
})

test('a client that does not say who it is is unknown', () => {
  expect(clientName(undefined)).toBe('unknown')
  expect(clientName('  ')).toBe('unknown')
  expect(clientName('/1.0')).toBe('unknown')
})

test('a name is never long', () => {
  expect(clientName('x'.repeat(500))).toHaveLength(40)
})
