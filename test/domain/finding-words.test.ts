import { describe, expect, test } from 'vitest'

import type { Finding } from '../../src/domain/finding.ts'
import { finding } from '../../src/domain/finding.ts'
import { tellFinding } from '../../src/domain/finding-words.ts'
import { shellPath } from '../../src/domain/telling.ts'
import { FAKE_NOW } from '../../src/testing.ts'
import { FINDING_SAMPLES } from '../finding-samples.ts'

const telling = { show: (path: string) => path.replace(/^\/state/, '~/.equabot'), now: FAKE_NOW }

describe('every finding', () => {
  test('says something, on one line, without a path that was not made short', () => {
    for (const entry of FINDING_SAMPLES) {
      const { message, fix } = tellFinding(entry, telling)
      expect(message.length, entry.code).toBeGreaterThan(10)
      expect(`${message}${fix}`, entry.code).not.toMatch(/\n|\/state|undefined|NaN|\[object/)
    }
  })

  test('that is wrong says what to do; one that --fix mends names a command', () => {
    for (const entry of FINDING_SAMPLES.filter(({ severity }) => severity !== 'info')) {
      expect(tellFinding(entry, telling).fix, entry.code).not.toBe('')
    }
    for (const entry of FINDING_SAMPLES.filter(({ fixable }) => fixable)) {
      expect(tellFinding(entry, telling).fix, entry.code).toMatch(/equabot |chmod /)
    }
  })
})

test('a path in a command is one word of a shell, and ~ stays the home', () => {
  expect(shellPath('~/.equabot/.env')).toBe('~/.equabot/.env')
  expect(shellPath("~/my files/it's")).toBe(`~/'my files/it'\\''s'`)
  expect(shellPath('/srv/a b')).toBe(`'/srv/a b'`)
})

test('a folder is closed with 700, a file with 600, or 700 where its owner runs it', () => {
  const open = (kind: 'file' | 'folder', mode = 0o644): Finding =>
    finding({
      code: 'DR_FILE_OPEN',
      path: '/state/x',
      kind,
      mode,
      secret: false,
      linked: false,
    })
  expect(tellFinding(open('file'), telling).fix).toBe('chmod 600 ~/.equabot/x')
  expect(tellFinding(open('file', 0o755), telling).fix).toBe('chmod 700 ~/.equabot/x')
  expect(tellFinding(open('folder'), telling).fix).toBe('chmod 700 ~/.equabot/x')
})
