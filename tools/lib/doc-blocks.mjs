/** The documents of the repository and the `ts` blocks in them. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './folders.mjs'

/** Folders that a command installs or makes. */
const GENERATED = /(?:^|\/)node_modules\/|^docs\/(?:\.vitepress\/(?:dist|cache)|reference\/api)\//

/** Files below a folder whose names end so, by their paths from the root. */
export function filesIn(folder, ending) {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(ending))
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length))
    .filter((path) => !GENERATED.test(path))
    .sort()
}

/** The Markdown files of the root, of docs and of the examples. */
export function markdownFiles() {
  const here = readdirSync(root).filter((name) => name.endsWith('.md'))
  return [...here.sort(), ...filesIn('docs', '.md'), ...filesIn('examples', '.md')]
}

/** A Markdown file without its code blocks. */
export function proseOf(path) {
  return readFileSync(join(root, path), 'utf8').replaceAll(/^(`{3,}).*?^\1$/gms, '')
}

/** Returns the targets of a Markdown file's links, as they are written. */
export function linksOf(path) {
  return [...proseOf(path).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target]) => target)
}

/** Markdown, and sources with TSDoc. */
export function documents(sourceFolders) {
  return [...markdownFiles(), ...sourceFolders.flatMap((folder) => filesIn(folder, '.ts'))]
}

/**
 * The `ts` blocks of one document: `line` is where the fence stands, `run` what its `run=` says.
 *
 * @param {string} document
 * @returns {{ document: string, file: string, line: number, run: string | undefined, code: string }[]}
 */
export function blocksOf(document) {
  const lines = readFileSync(join(root, document), 'utf8').split('\n')
  const margin = document.endsWith('.md') ? /^ {0,3}/ : /^\s*\* ?/
  const blocks = []
  let open
  for (const [i, line] of lines.entries()) {
    const text = line.replace(margin, '')
    if (open === undefined) {
      const fence = margin.test(line) && /^(`{3,})(\w*)(.*)$/.exec(text)
      if (fence)
        open = { mark: fence[1], language: fence[2], rest: fence[3], line: i + 1, code: [] }
    } else if (text.trimEnd() === open.mark) {
      const { language, rest, line: at, code } = open
      open = undefined
      if (language !== 'ts') continue
      const file = `${document.replaceAll(/[^A-Za-z0-9]+/g, '-')}-${at}.ts`
      const run = /\brun=(\w+)/.exec(rest)?.[1]
      blocks.push({ document, file, line: at, run, code: `${code.join('\n')}\n` })
    } else open.code.push(document.endsWith('.md') ? line : text)
  }
  if (open !== undefined) throw new Error(`${document}:${open.line}: the block has no end`)
  return blocks
}
