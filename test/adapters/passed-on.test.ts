import { expect, it } from 'vitest'
import { HOME_AND_NETWORK } from '../../src/adapters/passed-on.ts'
import { helperEnvironment } from '../../src/adapters/renewal-helper.ts'

it('the helper gets all that an owner’s program gets of it, and no key', () => {
  const variables = new Map(
    [...HOME_AND_NETWORK, 'ANTHROPIC_API_KEY', 'NODE_OPTIONS'].map((name) => [name, 'set']),
  )
  const names = Object.keys(
    helperEnvironment({ variables, stateDir: '/state', configPath: '/config' }),
  )
  expect(names.sort()).toEqual(
    [...HOME_AND_NETWORK, 'EQUABOT_CONFIG_PATH', 'EQUABOT_STATE_DIR'].sort(),
  )
})
