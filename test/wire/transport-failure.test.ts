import { expect, test } from 'vitest'
import { cancelledFailure, judgeTransport } from '../../src/wire/transport-failure.ts'

test.each([
  ['ENOTFOUND', 'network', 'could not find the host api.example.test (ENOTFOUND)'],
  ['ECONNREFUSED', 'network', 'nothing answers at api.example.test (ECONNREFUSED)'],
  ['UND_ERR_CONNECT_TIMEOUT', 'network', 'took too long'],
  ['CERT_HAS_EXPIRED', 'network', 'NODE_EXTRA_CA_CERTS'],
  ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'network', 'NODE_EXTRA_CA_CERTS'],
  ['ERR_TLS_CERT_ALTNAME_INVALID', 'network', 'certificate'],
  ['ERR_SSL_WRONG_VERSION_NUMBER', 'network', 'TLS'],
  ['ECONNRESET', 'network', 'closed the connection'],
  ['UND_ERR_SOCKET', 'network', 'closed the connection'],
  ['UND_ERR_HEADERS_TIMEOUT', 'timeout', 'took too long to answer'],
  ['UND_ERR_BODY_TIMEOUT', 'timeout', 'mid-answer'],
  ['HPE_INVALID_CONSTANT', 'server_error', 'not HTTP'],
  ['UND_ERR_HEADERS_OVERFLOW', 'server_error', 'not HTTP'],
  ['UND_ERR_ABORTED', 'network', 'proxy'],
  ['UND_ERR_INVALID_ARG', 'invalid_request', 'well-formed'],
  ['ESOMETHING', 'network', 'could not reach api.example.test (ESOMETHING)'],
])('%s is %s, in words', (code, reason, words) => {
  const failure = judgeTransport(code, 'api.example.test')
  expect(failure.reason).toBe(reason)
  expect(failure.words).toContain(words)
  expect(failure.words).toContain('api.example.test')
})

test('an error without a code names the host all the same', () => {
  expect(judgeTransport(undefined, 'h')).toEqual({ reason: 'network', words: 'could not reach h' })
})

test('a cancelled request is nobody’s failure', () => {
  expect(cancelledFailure('h').reason).toBe('cancelled')
})
