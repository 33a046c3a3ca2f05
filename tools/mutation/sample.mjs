/** Which mutants are tried: a seeded share of them, without those that no test can tell apart. */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

const EQUIVALENT = JSON.parse(readFileSync(join(import.meta.dirname, 'equivalent.json'), 'utf8'))

/** The line that a mutant changes and what it becomes: line numbers would not outlive an edit. */
export function isNamed({ file, line, mutator, replacement }, entry) {
  return (
    entry.file === file &&
    entry.mutator === mutator &&
    entry.line === line.trim() &&
    (entry.replacement === undefined || entry.replacement === replacement)
  )
}

/** @returns why this mutant is left out; different for each entry */
export function reasonOf({ line, replacement, reason }) {
  return `equivalent: ${reason} (${line}: ${replacement})`
}

/** @returns why a mutant is not tried, or `undefined` */
export function leftOut(mutant, { seed, percent }) {
  const known = EQUIVALENT.find((entry) => isNamed(mutant, entry))
  if (known !== undefined) return reasonOf(known)
  const { file, at, mutator, replacement } = mutant
  const text = [seed, file, at, mutator, replacement].join('\n')
  const draw = createHash('sha256').update(text).digest().readUInt32BE(0) / 2 ** 32
  return draw * 100 < percent ? undefined : 'not in the sample'
}

export { EQUIVALENT }
