/** Documents with parts that a command writes, each between `<!-- made: NAME -->` and `<!-- end -->`. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../../tools/lib/folders.mjs'

/** Returns a table in Markdown. */
export const table = (head, rows) =>
  [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n')

/**
 * Replaces the named parts of a document.
 *
 * @param {string} document its path from the root
 * @param {Record<string, string>} parts
 */
export function writeParts(document, parts) {
  const path = join(root, document)
  let page = readFileSync(path, 'utf8')
  for (const [name, text] of Object.entries(parts)) {
    const [begin, end] = [`<!-- made: ${name} -->`, '<!-- end -->']
    const from = page.indexOf(begin)
    if (from < 0) throw new Error(`${document} has no ${begin}`)
    const to = page.indexOf(end, from)
    page = `${page.slice(0, from)}${begin}\n\n${text}\n\n${page.slice(to)}`
  }
  writeFileSync(path, page)
}
