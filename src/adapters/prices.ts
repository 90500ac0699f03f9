/** List prices of models, from a data package that is loaded by the first request to be priced. Every price is an estimate. */

import type { Price } from '../domain/ledger.ts'
import { parseModelKey } from '../domain/names.ts'

export function createPrices(): Price {
  return async function price(model, usage) {
    const key = parseModelKey(model)
    if (!key) return undefined
    const { inputTokens, outputTokens, cacheReadTokens = 0, cacheWriteTokens = 0 } = usage
    try {
      const { calcPrice } = await import('@pydantic/genai-prices')
      const priced = calcPrice(
        {
          input_tokens: inputTokens,
          output_tokens: outputTokens,
          cache_read_tokens: cacheReadTokens,
          cache_write_tokens: cacheWriteTokens,
        },
        key.model,
        { providerId: key.provider },
      )
      return priced?.total_price
    } catch {
      // Counts that contradict each other have no price.
      return undefined
    }
  }
}
