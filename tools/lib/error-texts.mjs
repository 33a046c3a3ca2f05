/** The sentences in the strings of a source file: mostly messages of errors. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './folders.mjs'

/** A comment, which is skipped, or a string. A quote in a regular expression costs the rest of its line at most. */
const TOKENS =
  /\/\/[^\n]*|\/\*[^]*?\*\/|'((?:[^'\\\n]|\\.)*)'|"((?:[^"\\\n]|\\.)*)"|`((?:[^`\\]|\\[^])*)`/g
/** Fewer words are names and keys. */
const FEWEST_WORDS = 4

/**
 * Returns the sentences of a file, each on one line: a value that is put in is the word `X`.
 *
 * @param {string} path
 * @returns {{ path: string, line: number, text: string }[]}
 */
export function errorTexts(path) {
  const code = readFileSync(join(root, path), 'utf8')
  return [...code.matchAll(TOKENS)].flatMap(({ index, 1: single, 2: double, 3: template }) => {
    const raw = single ?? double ?? template ?? ''
    // SQL, styles and pages.
    if (raw.includes('\n')) return []
    const text = raw
      .replaceAll(/\$\{[^{}]*\}/g, 'X')
      .replaceAll(/\\['"`]/g, "'")
      .replaceAll(/\s+/g, ' ')
      .trim()
    if ((text.match(/[A-Za-z]{2,}/g)?.length ?? 0) < FEWEST_WORDS || !text.includes(' ')) return []
    return [{ path, line: code.slice(0, index).split('\n').length, text }]
  })
}
