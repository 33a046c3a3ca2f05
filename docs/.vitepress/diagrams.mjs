/** Draws `mermaid` blocks as SVG at build time, in the colours of the theme. */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { renderMermaidSVG } from 'beautiful-mermaid'

const style = readFileSync(join(import.meta.dirname, 'theme/diagrams.css'), 'utf8')

const escape = (text) =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;')

/** Mermaid's own lines of accessibility, which GitHub reads and beautiful-mermaid takes for nodes. */
function takeNames(source) {
  const read = (key) => new RegExp(`^\\s*${key}\\s*:(.*)$`, 'm').exec(source)?.[1]?.trim()
  return {
    title: read('accTitle'),
    description: read('accDescr'),
    rest: source.replaceAll(/^\s*(?:accTitle|accDescr)\s*:.*\n?/gm, ''),
  }
}

/** beautiful-mermaid reads `A-->B` as a node called `A--`. */
const spaced = (source) =>
  /^\s*(?:flowchart|graph)\b/.test(source)
    ? source.replaceAll(/(?<=[\w\])}])(?=(?:-->|---|==>|-\.->|<-->))/g, ' ')
    : source

/**
 * Returns a figure with an accessible name.
 *
 * @param {string} source the block's text
 * @param {string} heading the heading above, which is the name of a diagram without `accTitle`
 * @throws Error if the drawing would load something, or uses a colour that the theme does not set
 */
export function diagram(source, heading) {
  const { title = heading, description, rest } = takeNames(source)
  const svg = renderMermaidSVG(spaced(rest), { transparent: true, padding: 8, font: 'Inter' })
  // The same in every build, and another one for each diagram of a page.
  const digest = createHash('sha256').update(source).digest('hex').slice(0, 8)
  const prefix = `diagram-${digest}-`
  const own = svg
    // The style holds the import of a font. The theme has the variables.
    .replace(/<style>.*?<\/style>/s, '')
    // This marker points backwards already, and would be turned round into its node.
    .replace(/(<marker id="arrowhead-start"[^>]*orient=")auto-start-reverse"/, '$1auto"')
    // A drawing shrinks a little to fit; then its figure scrolls, as the text must stay legible.
    .replace(
      /<svg ([^>]*?)width="([\d.]+)"([^>]*?) style="[^"]*"/,
      (_all, before, width, after) =>
        `<svg ${before}width="${width}"${after} style="min-width:${String(Math.round(0.8 * Number(width)))}px"`,
    )
    .replaceAll(/(?<=\s)id="([^"]+)"/g, `id="${prefix}$1"`)
    .replaceAll(/url\(#([^)]+)\)/g, `url(#${prefix}$1)`)
  for (const [, name] of own.matchAll(/var\((--[\w-]+)/g))
    if (!style.includes(`${name}:`)) throw new Error(`theme/diagrams.css does not set ${name}`)
  if (/<(?:style|script|image|use|foreignObject)|@import|(?:href|src)=|url\((?!#)/i.test(own))
    throw new Error(`the diagram "${title}" would load something`)
  if (/data-id="[^"]*[-=]{2}"/.test(own))
    throw new Error(`"${title}": a node is called like an arrow`)
  const about = description === undefined ? '' : `<desc>${escape(description)}</desc>`
  const drawing = own.replace(
    /<svg ([^>]*)>/,
    `<svg $1 role="img" aria-label="${escape(title)}">${about}`,
  )
  // A blank line would end the block of HTML.
  return `<figure class="diagram" tabindex="0" v-pre>${drawing.replaceAll(/\n\s*/g, ' ')}</figure>\n`
}

/** The text of the last heading before a token. */
function headingBefore(tokens, index) {
  const at = tokens.slice(0, index).findLastIndex(({ type }) => type === 'heading_open')
  return tokens[at + 1]?.content.replaceAll('`', '') ?? 'Diagram'
}

/** A plugin of markdown-it. @param {import('vitepress').MarkdownRenderer} md */
export function drawDiagrams(md) {
  const { fence } = md.renderer.rules
  md.renderer.rules.fence = (tokens, index, ...rest) => {
    const token = tokens[index]
    if (token.info.trim() === 'mermaid') return diagram(token.content, headingBefore(tokens, index))
    return fence?.(tokens, index, ...rest) ?? ''
  }
}
