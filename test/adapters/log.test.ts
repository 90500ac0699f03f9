import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { createLog, createLogFile } from '../../src/adapters/log.ts'
import { Secret } from '../../src/domain/secret.ts'
import { createHandClock } from './hand-clock.ts'
import { temporaryFolder } from './temporary-folder.ts'

function createLogged() {
  const lines: string[] = []
  const log = createLog({ clock: createHandClock(), write: (line) => lines.push(line) })
  return { log, lines, last: (): unknown => JSON.parse(lines.at(-1) ?? '') }
}

describe('a log line', () => {
  it('is one JSON object with its instant, level, event and fields', () => {
    const { log, last, lines } = createLogged()
    log.write('info', 'gateway.listening', { port: 18_789, host: '127.0.0.1' })
    expect(last()).toEqual({
      at: '2027-01-15T08:00:00.000Z',
      level: 'info',
      event: 'gateway.listening',
      port: 18_789,
      host: '127.0.0.1',
    })
    expect(lines).toEqual([expect.stringMatching(/^\{"at".*\}\n$/)])
  })

  it('cannot be given another instant, level or event by its fields', () => {
    const { log, last } = createLogged()
    log.write('warn', 'real', { level: 'info', event: 'fake', at: 0 })
    expect(last()).toMatchObject({ level: 'warn', event: 'real' })
  })

  it.each([
    'sk-ant-api03-0123456789abcdef',
    `eqb_${'0a1B'.repeat(11)}`,
    'AIzaSy0123456789abcdefghijklmnop',
    'gsk_0123456789abcdef',
    'xai-0123456789abcdef',
    'Bearer 0123456789abcdef',
  ])('holds no %s, at any depth', (canary) => {
    const { log, lines } = createLogged()
    const secret = canary.replace('Bearer ', '')
    log.write('error', `event ${canary}`, {
      text: `before ${canary} after`,
      deep: [{ headers: { authorization: canary } }],
      cause: new Error(`failed with ${canary}`, { cause: new Error(canary) }),
      own: new Secret(secret),
    })
    expect(lines.join('')).not.toContain(secret)
    expect(lines.join('')).toContain('failed with')
  })

  it('gives a terminal nothing to obey', () => {
    const { log, lines } = createLogged()
    log.write('info', 'x\u001b[2Jy', { words: 'a\u009b31mb\u202ec\r\nd\u0007' })
    expect(lines.join('').trimEnd()).toMatch(/^[\x20-\x7e]+$/)
  })

  it('is written also when its fields cannot be', () => {
    const { log, last } = createLogged()
    const circle: Record<string, unknown> = {}
    circle.self = circle
    log.write('info', 'odd', { circle })
    expect(last()).toMatchObject({ event: 'odd', fields: 'not serialisable' })
  })
})

describe('a log file', () => {
  it('is private, grows by lines, and is moved aside when it is large, one generation deep', () => {
    const path = join(temporaryFolder(), 'logs', 'equabot.log')
    const write = createLogFile(path, 10)
    for (const line of ['aaaa\n', 'bbbb\n', 'cccc\n', 'dddd\n', 'eeee\n']) write(line)
    expect(readFileSync(path, 'utf8')).toBe('eeee\n')
    expect(readFileSync(`${path}.1`, 'utf8')).toBe('cccc\ndddd\n')
    expect(statSync(path).mode & 0o777).toBe(0o600)
  })

  it('that cannot be written stops nothing', () => {
    const file = join(temporaryFolder(), 'file')
    writeFileSync(file, '')
    createLogFile(join(file, 'equabot.log'))('line\n')
    expect(existsSync(join(file, 'equabot.log'))).toBe(false)
  })
})
