/** Randomness that a printed seed repeats. */
import { createHash } from 'node:crypto'

/**
 * Numbers from 0 to 1, the same ones for the same seed.
 *
 * @param {...(string | number)} parts what tells this stream of numbers from others: the seed, the row, the round
 */
export function randomFrom(...parts) {
  let state = createHash('sha256').update(parts.join('\0')).digest().readUInt32LE()
  return function random() {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** A whole number from `from` up to, and not including, `to`. */
export function wholeBetween(random, from, to) {
  return from + Math.floor(random() * (to - from))
}

/** One of these. */
export function oneOf(random, choices) {
  return choices[wholeBetween(random, 0, choices.length)]
}

/** `count` of these, each at most once, in their order; all of them when there are no more. */
export function someOf(random, choices, count) {
  const marked = choices.map((choice, index) => ({ choice, index, rank: random() }))
  return marked
    .toSorted((a, b) => a.rank - b.rank)
    .slice(0, count)
    .toSorted((a, b) => a.index - b.index)
    .map(({ choice }) => choice)
}
