import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

interface Bug {
  readonly name: string
  readonly edits: readonly { readonly file: string; readonly find: string }[]
}

// `npm run sim:bugs` plays them, which takes minutes: a change of the source that outdates one shows here.
test.each([
  ['bugs.json', 34],
  ['outages/bugs.json', 21],
  ['customers/bugs.json', 8],
  ['rotation/bugs.json', 14],
])(
  'each edit of a planted bug has its place in the source: %s, at least %i bugs',
  (list, least) => {
    const bugs = JSON.parse(readFileSync(`test/simulation/${list}`, 'utf8')) as readonly Bug[]
    const lost = bugs.flatMap(({ name, edits }) =>
      edits
        .filter(({ file, find }) => readFileSync(file, 'utf8').split(find).length !== 2)
        .map(({ file, find }) => `${name}: not once in ${file}: ${find}`),
    )
    expect(lost).toEqual([])
    expect(bugs.length).toBeGreaterThanOrEqual(least)
  },
)
