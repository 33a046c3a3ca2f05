/** References of built pages: links, anchors, and what a page would load from elsewhere. */
import { posix } from 'node:path'

/** Attributes of all tags, so that text that looks like HTML counts as text. */
function attributesOf(html, names) {
  const body = html
    .replaceAll(/<!--.*?-->/gs, '')
    .replaceAll(/(<script\b[^>]*>).*?<\/script>/gs, '$1')
  const pattern = new RegExp(`\\s(${names})="([^"]*)"`, 'g')
  return [...body.matchAll(/<([a-z][\w-]*)(\s(?:"[^"]*"|[^">])*)>/gi)].flatMap(([, tag, rest]) =>
    [...rest.matchAll(pattern)].map(([, name, value]) => ({
      tag: tag.toLowerCase(),
      name,
      value: value.replaceAll('&amp;', '&').replaceAll('&quot;', '"').replaceAll('&#39;', "'"),
    })),
  )
}

/** The file of a path: `/a` is `a.html`, `/a/` is `a/index.html`. */
const candidates = (path) =>
  path.endsWith('/') ? [`${path}index.html`] : [path, `${path}.html`, `${path}/index.html`]

/**
 * Returns the references that lead nowhere: a file that does not exist, an anchor that no element has.
 *
 * @param {ReadonlyMap<string, string>} files every file of the site by its path, `guides/node.html`; text of pages
 * @param {string} [base]
 * @returns {string[]}
 */
export function deadReferences(files, base = '/') {
  /** @type {Map<string, Set<string>>} */
  const ids = new Map()
  const idsOf = (file) => {
    const found =
      ids.get(file) ?? new Set(attributesOf(files.get(file) ?? '', 'id').map(({ value }) => value))
    ids.set(file, found)
    return found
  }
  const pages = [...files].filter(([path]) => path.endsWith('.html'))
  return pages.flatMap(([page, html]) =>
    attributesOf(html, 'href|src').flatMap(({ value }) => {
      if (/^(?:[a-z][a-z0-9+.-]*:|\/\/)/i.test(value)) return []
      const [path = '', fragment = ''] = value.split('#')
      const bare = decodeURI(path.split('?')[0] ?? '')
      if (bare.startsWith('/') && !bare.startsWith(base))
        return [`${page}: ${value} is outside ${base}`]
      const absolute = bare.startsWith('/')
        ? `/${bare.slice(base.length)}`
        : posix.join('/', posix.dirname(page), bare)
      const target =
        bare === ''
          ? page
          : candidates(absolute)
              .map((one) => one.slice(1))
              .find((one) => files.has(one))
      if (target === undefined) return [`${page}: ${value} leads nowhere`]
      if (fragment === '' || !target.endsWith('.html')) return []
      return idsOf(target).has(decodeURIComponent(fragment))
        ? []
        : [`${page}: ${value} has no such anchor`]
    }),
  )
}

/**
 * Returns what a page or a style sheet would load from another host. A link that a reader follows is not loaded.
 *
 * @param {ReadonlyMap<string, string>} files
 * @returns {string[]}
 */
export function foreignLoads(files) {
  const isForeign = (address) => /^(?:https?:)?\/\//.test(address)
  return [...files].flatMap(([path, text]) => {
    if (path.endsWith('.html'))
      return attributesOf(text, 'href|src|srcset|poster|data')
        .filter(({ tag, value }) => tag !== 'a' && isForeign(value))
        .map(({ tag, value }) => `${path}: <${tag}> loads ${value}`)
    if (!path.endsWith('.css')) return []
    const loads = text.matchAll(/(?:url\(|@import\s+)\s*["']?([^"')\s]+)/g)
    return [...loads]
      .filter(([, address]) => isForeign(address))
      .map(([, address]) => `${path} loads ${address}`)
  })
}
