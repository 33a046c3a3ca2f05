/** The sidebar: every page of docs/ once, where a reader looks for it. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../../tools/lib/folders.mjs'
import { subpaths } from '../../tools/lib/subpaths.mjs'
import { groups } from './pages.mjs'

/** A page's title is its first heading, if the list gives it no shorter one. */
function titleOf(page) {
  const text = readFileSync(join(root, 'docs', `${page}.md`), 'utf8')
  const heading = /^# (.*)$/m.exec(text)?.[1]
  if (heading === undefined) throw new Error(`docs/${page}.md has no heading`)
  return heading.replaceAll('`', '')
}

const api = {
  text: 'API',
  link: '/reference/api/',
  collapsed: true,
  items: subpaths.map(({ subpath }) => {
    const name = subpath.replace(/^\./, 'edge-kms')
    return { text: name.replace(/^edge-kms\//, ''), link: `/reference/api/${name}` }
  }),
}

function item(entry) {
  if (entry === 'api') return api
  const [page, title] = Array.isArray(entry) ? entry : [entry]
  return { text: title ?? titleOf(page), link: `/${page}` }
}

/**
 * A heading leads to its first page: without a link, VitePress puts a button into a button.
 *
 * @returns {import('vitepress').DefaultTheme.SidebarItem[]}
 */
export function sidebar() {
  return groups.map(({ text, pages, open = false }) => {
    const items = pages.map(item)
    return { text, link: items[0].link, collapsed: !open, items }
  })
}
