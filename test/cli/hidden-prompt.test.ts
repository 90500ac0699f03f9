import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createHiddenInput } from '../../src/cli/hidden-prompt.ts'

function answer(...chunks: readonly string[]): { state: string; text: string } {
  const input = createHiddenInput()
  let state = 'more'
  for (const chunk of chunks) state = input.feed(chunk)
  return { state, text: input.text() }
}

describe('a hidden answer', () => {
  it('ends at Enter', () => {
    expect(answer('f', 'a', 'ke', '\r')).toEqual({ state: 'done', text: 'fake' })
  })

  it('is interrupted by Ctrl-C', () => {
    expect(answer('fake', '\u0003').state).toBe('interrupted')
  })

  it('can be corrected with backspace and Ctrl-U', () => {
    expect(answer('fakr\u007fe\r').text).toBe('fake')
    expect(answer('wrong\u0015fake\r').text).toBe('fake')
  })

  it('holds no keys that are not text', () => {
    expect(answer('fa\u001b[Dk\u001b[3~e\u001bOP\t\r').text).toBe('fake')
  })

  it('keeps the line breaks of a marked paste and waits for Enter', () => {
    expect(answer('\u001b[200~first\rsecond\r\u001b[201~').state).toBe('more')
    expect(answer('\u001b[200~first\rsecond\u001b[201~', '\r')).toEqual({
      state: 'done',
      text: 'first\rsecond',
    })
  })

  it('keeps the line breaks of a paste without marks that comes in one piece', () => {
    expect(answer('first\rsecond\r')).toEqual({ state: 'done', text: 'first\rsecond' })
  })

  it('does not run a command that is hidden in a paste', () => {
    expect(answer('\u001b[200~fake\u0003\u0004\u001b[201~', '\r').state).toBe('done')
  })

  it('is the same however the terminal cuts it up', () => {
    const typed = '\u001b[200~sk-fake-0123\r456\u001b[201~'
    fc.assert(
      fc.property(fc.uniqueArray(fc.integer({ min: 2, max: typed.length - 1 })), (cuts) => {
        const places = [0, ...cuts.toSorted((a, b) => a - b), typed.length]
        const chunks = places.slice(1).map((end, index) => typed.slice(places[index], end))
        expect(answer(...chunks, '\r')).toEqual({ state: 'done', text: 'sk-fake-0123\r456' })
      }),
    )
  })
})
