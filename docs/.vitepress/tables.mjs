/** The empty corner of a table heads nothing: it becomes a plain cell. */

/** A plugin of markdown-it. @param {import('vitepress').MarkdownRenderer} md */
export function plainCorners(md) {
  md.core.ruler.push('plain-corners', ({ tokens }) => {
    for (const [i, token] of tokens.entries()) {
      if (token.type !== 'th_open' || tokens[i + 1]?.content !== '') continue
      token.tag = 'td'
      const close = tokens.slice(i).find(({ type }) => type === 'th_close')
      if (close !== undefined) close.tag = 'td'
    }
  })
}
