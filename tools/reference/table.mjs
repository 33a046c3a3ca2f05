/** Markdown tables, and their places in a page. */

/** Returns a table. A bar inside a cell is escaped. */
export function table(head, rows) {
  const line = (cells) =>
    `| ${cells.map((cell) => String(cell).replaceAll('|', '\\|')).join(' | ')} |`
  return [line(head), `|${head.map(() => '---|').join('')}`, ...rows.map(line)].join('\n')
}

/** Returns a number with commas, as the documents write it. */
export const grouped = (number) => number.toLocaleString('en-US')

/** Returns text in backquotes. */
export const code = (text) => `\`${text}\``

/**
 * Returns a page with its tables replaced.
 *
 * @param {string} page for messages
 * @param {string} text
 * @param {Record<string, string>} tables by name
 * @throws Error for a table that the page lacks, and for a place whose table was not made
 */
export function withTables(page, text, tables) {
  const used = new Set()
  const made = text.replaceAll(
    /(<!-- made: ([\w-]+) -->\n)(.*?)(?=<!-- end -->)/gs,
    (_all, open, name) => {
      const content = tables[name]
      if (content === undefined) throw new Error(`${page}: nothing makes ${name}`)
      used.add(name)
      return `${open}\n${content}\n\n`
    },
  )
  const missing = Object.keys(tables).filter((name) => !used.has(name))
  if (missing.length > 0) throw new Error(`${page} has no place for ${missing.join(', ')}`)
  return made
}
