import { describe, expect, test } from 'vitest'
import { anthropicErrorBody, openaiErrorBody } from '../../src/wire/caller-error.ts'

const said = (
  http: number,
  message = 'It failed',
): { message: string; hint: string; http: number } => ({
  message,
  hint: 'Try again',
  http,
})

describe('anthropicErrorBody', () => {
  test('bears the code, the hint and the request id', () => {
    expect(JSON.parse(anthropicErrorBody(said(401), 'EQ_CALLER_UNKNOWN', 'req_1'))).toEqual({
      type: 'error',
      error: {
        type: 'authentication_error',
        message: 'It failed. Try again',
        code: 'EQ_CALLER_UNKNOWN',
        hint: 'Try again',
      },
      request_id: 'req_1',
    })
  })

  test.each([
    [400, 'invalid_request_error'],
    [403, 'permission_error'],
    [404, 'not_found_error'],
    [413, 'request_too_large'],
    [429, 'rate_limit_error'],
    [500, 'api_error'],
    [502, 'api_error'],
    [529, 'overloaded_error'],
  ])('%i is called %s', (http, type) => {
    expect(JSON.parse(anthropicErrorBody(said(http), 'EQ_INTERNAL', 'r'))).toMatchObject({
      error: { type },
    })
  })
})

test('openaiErrorBody bears the same in its own form', () => {
  expect(JSON.parse(openaiErrorBody(said(404), 'EQ_MODEL_UNKNOWN', 'req_1'))).toEqual({
    error: {
      message: 'It failed. Try again',
      type: 'not_found_error',
      param: null,
      code: 'EQ_MODEL_UNKNOWN',
      hint: 'Try again',
    },
    request_id: 'req_1',
  })
})

test('no error names the header that Claude Code takes for a lost login', () => {
  const body = said(401, 'the provider said: invalid X-API-Key')
  for (const render of [anthropicErrorBody, openaiErrorBody]) {
    expect(render(body, 'EQ_UPSTREAM_FAILED', 'r').toLowerCase()).not.toContain('x-api-key')
  }
})
