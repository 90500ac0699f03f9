/** What `random.mjs` gives to drivers that are written in TypeScript. */

export function randomFrom(...parts: readonly (string | number)[]): () => number
