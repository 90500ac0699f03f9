import { PassThrough } from 'node:stream'
import { describe, expect, test } from 'vitest'
import type { ChatInput } from '../../src/cli/chat-input.ts'
import { createLineInput, createPromptInput } from '../../src/cli/chat-input.ts'

interface Prompted {
  readonly keys: PassThrough
  readonly shown: () => string
  readonly input: ChatInput
  readonly ending: AbortController
}

function prompted(history: readonly string[] = []): Prompted {
  const keys = new PassThrough()
  const screen = new PassThrough()
  let shown = ''
  screen.on('data', (chunk: Buffer) => void (shown += chunk.toString()))
  const ending = new AbortController()
  const input = createPromptInput(keys, screen, {
    prompt: '> ',
    history,
    signal: ending.signal,
  })
  return { keys, shown: () => shown, input, ending }
}

describe('a person at a prompt', () => {
  test('a line is a message', async () => {
    const { keys, input } = prompted()
    const next = input.next()
    keys.write('hello\r')
    expect(await next).toEqual({ kind: 'message', text: 'hello' })
    input.close()
  })

  test('Ctrl-C at an empty prompt is an interrupt, on a line that is begun it clears the line', async () => {
    const { keys, input } = prompted()
    const next = input.next()
    keys.write('half')
    keys.write('\u0003')
    keys.write('\u0003')
    expect(await next).toEqual({ kind: 'interrupt' })
    const after = input.next()
    keys.write('whole\r')
    expect(await after).toEqual({ kind: 'message', text: 'whole' })
    input.close()
  })

  test('Ctrl-C while a reply streams stops it', async () => {
    const { keys, input } = prompted()
    const stopped = new Promise<string>((resolve) => {
      void input.during(new Promise<void>(() => undefined), () => resolve('stopped'))
    })
    keys.write('\u0003')
    expect(await stopped).toBe('stopped')
    input.close()
  })

  test('Ctrl-D ends the input, and the end stays', async () => {
    const { keys, input } = prompted()
    const next = input.next()
    keys.write('\u0004')
    expect(await next).toEqual({ kind: 'end' })
    expect(await input.next()).toEqual({ kind: 'end' })
  })

  test('a process that is told to end ends the input', async () => {
    const { input, ending } = prompted()
    const next = input.next()
    ending.abort()
    expect(await next).toEqual({ kind: 'end' })
  })

  test('a pasted text of several lines is one message', async () => {
    const { keys, input } = prompted()
    const next = input.next()
    keys.write('\u001b[200~one\r\rtwo\u001b[201~')
    keys.write(' and more\r')
    expect(await next).toEqual({ kind: 'message', text: 'one\n\ntwo and more' })
    input.close()
  })

  test('Ctrl-C throws a half pasted text away', async () => {
    const { keys, input } = prompted()
    const next = input.next()
    keys.write('\u001b[200~one\r\u001b[201~')
    keys.write('\u0003')
    keys.write('fresh\r')
    expect(await next).toEqual({ kind: 'message', text: 'fresh' })
    input.close()
  })

  test('what is typed while a reply streams is not shown then, and is the next message', async () => {
    const { keys, shown, input } = prompted()
    const first = input.next()
    keys.write('one\r')
    await first
    const before = shown()
    keys.write('ahead\r')
    expect(shown()).toBe(before)
    expect(await input.next()).toEqual({ kind: 'message', text: 'ahead' })
    expect(shown().slice(before.length)).toBe('> ahead\n')
    input.close()
  })

  test('arrow up brings the latest message of the history', async () => {
    const { keys, input } = prompted(['older', 'latest'])
    const next = input.next()
    keys.write('\u001b[A')
    keys.write('\r')
    expect(await next).toEqual({ kind: 'message', text: 'latest' })
    input.close()
  })

  test('closing gives the terminal back as it was', () => {
    const { shown, input } = prompted()
    input.close()
    expect(shown()).toContain('\u001b[?2004l')
  })
})

describe('lines of standard input', () => {
  test('each line is a message, then comes the end', async () => {
    const lines = new PassThrough()
    const input = createLineInput(lines, { signal: new AbortController().signal })
    lines.end('one\r\ntwo\nlast without a break')
    expect(await input.next()).toEqual({ kind: 'message', text: 'one' })
    expect(await input.next()).toEqual({ kind: 'message', text: 'two' })
    expect(await input.next()).toEqual({ kind: 'message', text: 'last without a break' })
    expect(await input.next()).toEqual({ kind: 'end' })
    expect(await input.next()).toEqual({ kind: 'end' })
  })

  test('an input that cannot be read is at its end', async () => {
    const lines = new PassThrough()
    const input = createLineInput(lines, { signal: new AbortController().signal })
    lines.destroy(new Error('EISDIR'))
    expect(await input.next()).toEqual({ kind: 'end' })
  })

  test('a process that is told to end ends the input', async () => {
    const ending = new AbortController()
    const input = createLineInput(new PassThrough(), { signal: ending.signal })
    const next = input.next()
    ending.abort()
    expect(await next).toEqual({ kind: 'end' })
  })
})
