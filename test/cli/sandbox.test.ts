import { expect, test } from 'vitest'
import { addSandboxCommands } from '../../src/cli/sandbox.ts'
import type { AgentId, ProfileId } from '../../src/domain/names.ts'
import { ok } from '../../src/domain/result.ts'
import type { Vault } from '../../src/services/vault.ts'
import { fakeApp, NOW, runCommand, STATE_DIR } from './fake-chat-app.ts'

test('sandbox keys lists each key with what it does', async () => {
  const { out } = await runCommand(['sandbox', 'keys'], addSandboxCommands)
  expect(out).toBe('sandbox-401  refuses the credential\n')
  const json = await runCommand(['sandbox', 'keys', '--json'], addSandboxCommands)
  expect(JSON.parse(json.out)).toEqual({
    keys: [{ key: 'sandbox-401', does: 'refuses the credential' }],
  })
})

test('sandbox grant stores a login and says when it ends', async () => {
  const asked: unknown[] = []
  const vault: Pick<Vault, 'storeSandboxGrant'> = {
    async storeSandboxGrant(input) {
      asked.push(input)
      return ok({
        agent: 'main' as AgentId,
        profile: input.profile ?? ('sandbox:x' as ProfileId),
        type: 'oauth',
        fingerprint: 'aabbccdd',
        replaced: false,
        expiresAt: NOW + 60_000,
        bookPath: `${STATE_DIR}/agents/main/agent/auth-profiles.json`,
        configPath: `${STATE_DIR}/equabot.json`,
        unfamiliar: false,
      })
    },
  }
  // Only the grant is asked of the vault here.
  const app = fakeApp({ parts: { vault: vault as Vault } })
  const { out } = await runCommand(['sandbox', 'grant'], addSandboxCommands, { app })
  expect(asked).toEqual([{ profile: 'sandbox:grant' }])
  expect(out).toContain('Stored sandbox:grant in ~/.equabot/agents/main')
  expect(out).toContain('ends in 1 min')
})
