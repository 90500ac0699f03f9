/** "Did you mean": the known name that is nearest to what was typed. */

/**
 * @returns the nearest name, or undefined when none is near enough to be meant (a third of its letters, at most 3)
 */
export function nearestOf(text: string, names: readonly string[]): string | undefined {
  let best: { name: string; distance: number } | undefined
  for (const name of names) {
    const distance = distanceTo(text, name)
    if (distance !== undefined && (!best || distance < best.distance)) best = { name, distance }
  }
  return best?.name
}

/** How many letters apart two words are; undefined when they are too far apart for one to be meant by the other. */
export function distanceTo(text: string, name: string): number | undefined {
  const limit = Math.min(3, Math.max(1, Math.floor(Math.max(text.length, name.length) / 3)))
  if (Math.abs(text.length - name.length) > limit) return undefined
  const distance = editDistance(text.toLowerCase(), name.toLowerCase())
  return distance <= limit ? distance : undefined
}

/** Letters to insert, delete, replace, or swap with a neighbour. */
function editDistance(a: string, b: string): number {
  let beforeLast: number[] = []
  let last = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i]
    for (let j = 1; j <= b.length; j += 1) {
      const same = a[i - 1] === b[j - 1]
      let cost = Math.min(
        (last[j] ?? 0) + 1,
        (row[j - 1] ?? 0) + 1,
        (last[j - 1] ?? 0) + (same ? 0 : 1),
      )
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        cost = Math.min(cost, (beforeLast[j - 2] ?? 0) + 1)
      }
      row.push(cost)
    }
    beforeLast = last
    last = row
  }
  return last[b.length] ?? 0
}
