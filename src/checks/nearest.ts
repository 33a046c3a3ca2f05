/** The name that is most like a misspelt one, or `undefined` where none is like it. */
export function nearest(wrong: string, names: readonly string[]): string | undefined {
  let best: string | undefined
  let least = Infinity
  const given = wrong.toLowerCase().slice(0, 64)
  for (const name of names) {
    const known = name.toLowerCase()
    // Half of a name is nearer than letters can tell: `attempts` for `maxAttempts`.
    const distance = given.length > 2 && known.includes(given) ? 1 : distanceOf(given, known)
    if (distance < least) [best, least] = [name, distance]
  }
  return least <= Math.max(2, wrong.length / 3) ? best : undefined
}

/** Levenshtein's: how many letters must be put in, taken out or replaced. */
function distanceOf(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (const [i, letter] of Array.from(a).entries()) {
    const next = [i + 1]
    for (const [j, other] of Array.from(b).entries()) {
      const replaced = (row[j] ?? 0) + (letter === other ? 0 : 1)
      next.push(Math.min(replaced, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1))
    }
    row = next
  }
  return row[b.length] ?? 0
}
