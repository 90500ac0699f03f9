import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { openHome } from '../../src/adapters/home.ts'
import { MAIN_AGENT } from '../../src/domain/names.ts'
import { orThrow } from '../../src/domain/equabot-error.ts'

const open = (variables: Record<string, string>) => orThrow(openHome(variables))

describe('the home', () => {
  it('is .equabot in the folder of the user', () => {
    const home = open({ HOME: '/home/someone' })
    expect(home.stateDir).toBe('/home/someone/.equabot')
    expect(home.configPath).toBe('/home/someone/.equabot/equabot.json')
    expect(home.bookPath(MAIN_AGENT)).toBe(
      '/home/someone/.equabot/agents/main/agent/auth-profiles.json',
    )
    expect(home.sessionsDir(MAIN_AGENT)).toBe('/home/someone/.equabot/agents/main/sessions')
  })

  it('moves whole with EQUABOT_STATE_DIR, and the settings alone with EQUABOT_CONFIG_PATH', () => {
    const home = open({ EQUABOT_STATE_DIR: '/state', EQUABOT_CONFIG_PATH: '/etc/equabot.json' })
    expect(home.configPath).toBe('/etc/equabot.json')
    expect(home.envFilePath).toBe('/state/.env')
    expect(home.locksDir).toBe('/state/locks')
  })

  it('understands a leading tilde and a path from the current folder', () => {
    expect(open({ HOME: '/h', EQUABOT_STATE_DIR: '~/state' }).stateDir).toBe('/h/state')
    expect(open({ EQUABOT_STATE_DIR: 'state' }).stateDir).toBe(join(process.cwd(), 'state'))
  })

  it.each([
    [{}],
    [{ HOME: '' }],
    [{ HOME: '  ' }],
    [{ HOME: 'not/absolute' }],
    [{ EQUABOT_STATE_DIR: ' ' }],
  ])('is missing with %j', (variables) => {
    expect(openHome(variables)).toEqual({ ok: false, fault: { code: 'EQ_HOME_MISSING' } })
  })

  it('takes a blank variable for one that is not set', () => {
    const home = open({ HOME: '/h', EQUABOT_GATEWAY_TOKEN: ' ', EQUABOT_GATEWAY_PORT: '' })
    expect(home).not.toHaveProperty('gatewayTokenOverride')
    expect(home).not.toHaveProperty('gatewayPortOverride')
  })

  it('boxes the token of the gateway and passes its port on as typed', () => {
    const home = open({ HOME: '/h', EQUABOT_GATEWAY_TOKEN: 'made-up', EQUABOT_GATEWAY_PORT: '8o' })
    expect(home.gatewayTokenOverride?.reveal()).toBe('made-up')
    expect(home.gatewayPortOverride).toBe('8o')
  })

  it('shows paths of the user with a tilde and no others', () => {
    const home = open({ HOME: '/home/someone' })
    const shown = ['/home/someone/a', '/home/someone', '/home/someone-else/a', '/etc/a'].map(
      home.tildify,
    )
    expect(shown).toEqual(['~/a', '~', '/home/someone-else/a', '/etc/a'])
    expect(open({ EQUABOT_STATE_DIR: '/state' }).tildify('/state/a')).toBe('/state/a')
  })
})
