/** Proves the rules of tools/vale: plants a sentence for each and sees it refused, and others that must pass. */
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import { scratchFolder } from './lib/pack.mjs'
import { MissingError } from './servers/missing.mjs'
import { ensureVale } from './vale/install.mjs'
import { findings } from './words.mjs'

const LONG = `The cache ${'keeps a key and then '.repeat(9)}drops it.`

/** @type {[rule: string, refused: string[], allowed: string[]][]} */
const cases = [
  [
    'Headless',
    [
      'Who calls it must wait.',
      'A list:\n\n- What opens is fresh.',
      'It ends. Where it fails, you retry.',
    ],
    ['Who calls it?', 'The caller that waits gets a key.', 'What does the cache keep?'],
  ],
  [
    'IsNo',
    ['This is no key.', 'There are no bytes.'],
    ['It is no longer fresh.', 'It is not a key.'],
  ],
  [
    'Idioms',
    [
      'All but for one.',
      'A name may stand here.',
      'The name stands before the key.',
      'The run comes to its end.',
      'The cache goes by the clock.',
      'The observer is told.',
      'The store says what is news.',
      'It keeps nothing but keys.',
      'The key is of no use.',
      'The key wants to be fresh.',
      'An error it takes for an outage.',
      'A slow call is taken for dead.',
      'The cache lets go of the key.',
      'The first key gives way.',
      'The key is made anew.',
      'It refuses a key that is none.',
      'It decrypts for whoever asks.',
    ],
    [
      'All except one.',
      'The store is told to stop.',
      'A `*` stands for any text.',
      'One is mistaken for another.',
      'There is none.',
    ],
  ],
  [
    'Headings',
    ['## What it keeps', '## By what it is found'],
    ['## What does it keep?', '## Keys'],
  ],
  [
    'TableHeaders',
    ['| Key | By what |\n|---|---|\n| a | b |', '| What | Key |\n|---|---|\n| a | b |'],
    ['| Key | Lifetime |\n|---|---|\n| By what | b |', '| Is it kept? |\n|---|\n| a |'],
  ],
  ['LongSentence', [LONG], ['The cache keeps a key. Then it drops it.']],
]

/** Comments are read, code is not. */
const COMMENTS = [
  ['/** Who calls it must wait. */\nexport const a = 1\n', true],
  ['/** Waits. */\nexport const whoCallsIt = 1\n', false],
  ['/**\n * Waits.\n *\n * @returns What was kept.\n */\nexport const b = () => 1\n', true],
]

async function check() {
  const vale = await ensureVale()
  const folder = scratchFolder('word-rules')
  let count = 0
  const problems = []
  const demand = (text, ending, rule, isRefused) => {
    const file = join(folder, `${(count += 1)}.${ending}`)
    writeFileSync(file, `${text}\n`)
    const found = findings(vale, [file], folder).filter((line) => line.includes(`House.${rule}`))
    if (found.length > 0 !== isRefused)
      problems.push(`${rule} ${isRefused ? 'passes' : 'refuses'}: ${text}`)
  }
  for (const [rule, refused, allowed] of cases) {
    for (const text of refused) demand(text, 'md', rule, true)
    for (const text of allowed) demand(text, 'md', rule, false)
  }
  for (const [code, isRefused] of COMMENTS)
    for (const ending of ['ts', 'mjs']) demand(code, ending, 'Headless', isRefused)
  rmSync(folder, { recursive: true })
  for (const problem of problems) console.log(problem)
  console.log(`word rules: ${count - problems.length} passed, ${problems.length} failed`)
  return problems.length === 0 ? 0 : 1
}

try {
  process.exitCode = await check()
} catch (error) {
  if (!(error instanceof MissingError)) throw error
  console.log(`word rules: skipped: ${error.message}`)
  process.exitCode = process.env['CI'] === undefined ? 0 : 1
}
