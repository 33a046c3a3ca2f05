import { readFileSync } from 'node:fs'

/** One file as `tools/vectors/extract.mjs` writes it. */
export interface VectorFile<Facts, Test> {
  readonly source: { readonly algorithm: string; readonly tests: number }
  readonly groups: readonly { readonly facts: Facts; readonly tests: readonly Test[] }[]
}

export interface VectorTest {
  readonly tcId: number
  readonly result: 'valid' | 'invalid'
  readonly flags: readonly string[]
}

export function readVectors<Facts, Test extends VectorTest>(name: string): VectorFile<Facts, Test> {
  const path = new URL(`./wycheproof/${name}.json`, import.meta.url)
  return JSON.parse(readFileSync(path, 'utf8')) as VectorFile<Facts, Test>
}

/** Every test of a file with the facts of its group. A file that lost tests is an error. */
export function* testsOf<Facts, Test extends VectorTest>(
  file: VectorFile<Facts, Test>,
): Generator<Facts & Test> {
  let count = 0
  for (const { facts, tests } of file.groups) {
    for (const test of tests) {
      count++
      yield { ...facts, ...test }
    }
  }
  if (count !== file.source.tests) throw new Error(`${count} of ${file.source.tests} tests`)
}
