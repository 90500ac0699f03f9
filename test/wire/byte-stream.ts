/** Bodies as they come over a network: the same bytes in any chunks. */

import fc from 'fast-check'

/** A text's bytes in chunks of the given sizes; the rest is the last chunk. */
export async function* chunked(
  text: string,
  sizes: readonly number[] = [],
): AsyncGenerator<Uint8Array, void> {
  const bytes = new TextEncoder().encode(text)
  let start = 0
  for (const size of sizes) {
    if (start >= bytes.length) return
    yield bytes.subarray(start, start + size)
    start += size
  }
  if (start < bytes.length) yield bytes.subarray(start)
}

export const chunkSizes: fc.Arbitrary<number[]> = fc.array(fc.integer({ min: 0, max: 7 }), {
  maxLength: 60,
})

export async function collect<T>(items: AsyncIterable<T>): Promise<readonly T[]> {
  const all: T[] = []
  for await (const item of items) all.push(item)
  return all
}
