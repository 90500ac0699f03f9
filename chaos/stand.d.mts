/** What `stand.mjs` gives to tests that are written in TypeScript. */

/** Ends what still runs and removes every folder. */
export function cleanUp(): Promise<void>
