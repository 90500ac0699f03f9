import { expect, test } from 'vitest'
import { brokenOffWords } from '../../src/domain/wording-cut.ts'

test.each([
  ['UND_ERR_SOCKET', 'the provider closed the connection before the end'],
  ['ECONNRESET', 'the provider closed the connection before the end'],
  ['UND_ERR_BODY_TIMEOUT', 'nothing more came for too long'],
  ['HPE_INVALID_CHUNK_SIZE', 'what came was not HTTP any more'],
  [undefined, 'the connection was lost'],
  ['EWHATEVER', 'the connection was lost (EWHATEVER)'],
])('a reply that breaks off with %s is told in plain words', (code, words) => {
  expect(brokenOffWords(code)).toBe(words)
})
