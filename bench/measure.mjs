/** Numbers and their presentation. */

export function median(values) {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}

/** Runs the two sides in turn, `rounds` times each, so that a busy machine is busy for both. */
export async function alternate(rounds, sides) {
  const names = Object.keys(sides)
  const results = Object.fromEntries(names.map((name) => [name, []]))
  for (let round = 0; round < rounds; round += 1) {
    for (const name of names) results[name].push(await sides[name]())
  }
  return results
}

export function print(label, value, target) {
  const verdict =
    target === undefined ? '' : `  (${target.text}: ${target.isMet ? 'met' : 'MISSED'})`
  console.log(`  ${label.padEnd(44)} ${value}${verdict}`)
}

export function atMost(value, limit, unit) {
  return { text: `target at most ${limit} ${unit}`, isMet: value <= limit }
}
