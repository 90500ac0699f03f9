import { expect, test } from 'vitest'
import { randomFrom } from '../../chaos/random.mjs'
import { simulateDay } from './simulator.ts'
test('a day', { timeout: 180_000 }, async () => {
  const cpu = process.cpuUsage()
  for (const seed of (process.env['SEEDS'] ?? 'ci').split(','))
    console.log(
      seed,
      await simulateDay(randomFrom('simulator', seed), Number(process.env['N'] ?? 10_000)),
    )
  console.log(process.cpuUsage(cpu))
  expect(1).toBe(1)
})
