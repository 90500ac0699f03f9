import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { VERSION } from '../src/version.ts'

const read = (path: string): string => readFileSync(new URL(`../${path}`, import.meta.url), 'utf8')
const manifest = JSON.parse(read('package.json'))

describe('the house', () => {
  it('has a changelog entry for the version it is at', () => {
    expect(read('CHANGELOG.md')).toMatch(new RegExp(`^## \\[${manifest.version}\\] - `, 'm'))
  })

  it('knows its version from package.json', () => {
    expect(VERSION).toBe(manifest.version)
  })

  it('names no download host in the lock file', () => {
    expect(read('package-lock.json')).not.toMatch(/"resolved":|https?:\/\/registry/)
  })

  it('gives every package that it depends on a line in docs/dependencies.md', () => {
    const page = read('docs/dependencies.md')
    const names = [manifest.dependencies, manifest.devDependencies].flatMap(Object.keys)
    expect(names.filter((name: string) => !page.includes(`\`${name}`))).toEqual([])
  })

  it('pins the packages that users install to one exact version', () => {
    const loose = Object.entries<string>(manifest.dependencies).filter(
      ([, version]) => !/^\d+\.\d+\.\d+$/.test(version),
    )
    expect(loose).toEqual([])
    expect(Object.keys(manifest.dependencies)).toHaveLength(2)
  })
})
