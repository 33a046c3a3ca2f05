/** Links that leave docs/ lead to the repository: the site holds no other file of it. */
import { existsSync, statSync } from 'node:fs'
import { join, posix } from 'node:path'
import { root } from '../../tools/lib/folders.mjs'
import { repository } from '../../tools/lib/repository.mjs'

/**
 * Returns the address of a link's target, or `undefined` for a page of the site.
 *
 * @param {string} href as it is written
 * @param {string} page the page's path below docs/
 * @throws Error for a target that does not exist
 */
export function outsideAddress(href, page) {
  if (/^[a-z]+:|^#|^\//i.test(href)) return undefined
  const [, file = '', rest = ''] = /^([^?#]*)(.*)$/s.exec(href) ?? []
  const target = posix.join('docs', posix.dirname(page), decodeURI(file))
  const at = join(root, target)
  if (isPage(target)) return undefined
  if (!existsSync(at)) throw new Error(`docs/${page}: ${href} leads nowhere`)
  const kind = statSync(at).isDirectory() ? 'tree' : 'blob'
  return `${repository}/${kind}/main/${target.replace(/\/$/, '')}${rest}`
}

/** The API reference is made of the code, so it can be missing when a page that links to it is checked. */
const isPage = (target) =>
  target.startsWith('docs/') &&
  ((target.endsWith('.md') && existsSync(join(root, target))) ||
    existsSync(join(root, target, 'index.md')))

/** A plugin of markdown-it. @param {import('vitepress').MarkdownRenderer} md */
export function linkOutside(md) {
  md.core.ruler.push('link-outside', ({ tokens, env }) => {
    for (const token of tokens.flatMap(({ children }) => children ?? [])) {
      if (token.type !== 'link_open') continue
      const address = outsideAddress(token.attrGet('href') ?? '', env.relativePath)
      if (address !== undefined) token.attrSet('href', address)
    }
  })
}
