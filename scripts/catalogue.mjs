/**
 * Rewrites src/adapters/catalogue.json, the snapshot of known models, from a folder of provider data files
 * (`dist/providers/data` of the package @earendil-works/pi-ai, MIT):
 *
 *   npm pack @earendil-works/pi-ai && tar xzf earendil-works-pi-ai-*.tgz
 *   node scripts/catalogue.mjs package/dist/providers/data
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const PROVIDERS = [
  'anthropic',
  'openai',
  'openrouter',
  'google',
  'groq',
  'mistral',
  'xai',
  'deepseek',
]

const folder = process.argv[2]
if (folder === undefined) {
  console.error('Which folder? node scripts/catalogue.mjs <folder of provider data files>')
  process.exit(64)
}

const catalogue = {}
for (const provider of PROVIDERS) {
  const data = JSON.parse(readFileSync(join(folder, `${provider}.json`), 'utf8'))
  const models = new Map()
  for (const byName of Object.values(data)) {
    for (const model of Object.values(byName)) {
      if (typeof model.id !== 'string' || typeof model.contextWindow !== 'number') continue
      const { id, name, contextWindow, input } = model
      models.set(id, { id, name, contextWindow, input })
    }
  }
  catalogue[provider] = [...models.values()].sort((a, b) => (a.id < b.id ? -1 : 1))
}
const target = new URL('../src/adapters/catalogue.json', import.meta.url)
writeFileSync(target, `${JSON.stringify(catalogue)}\n`)
for (const [provider, models] of Object.entries(catalogue)) console.log(provider, models.length)
