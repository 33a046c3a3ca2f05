/** The pages of docs/ against the groups of the sidebar. */
import { groups } from '../../docs/.vitepress/pages.mjs'
import { filesIn } from '../lib/doc-blocks.mjs'

/**
 * Returns what the two lists disagree about.
 *
 * @param {readonly string[]} listed pages of the sidebar
 * @param {readonly string[]} present pages of docs/
 */
export function pageProblems(listed, present) {
  const list = 'docs/.vitepress/pages.mjs'
  return [
    ...present
      .filter((page) => !listed.includes(page))
      .map((page) => `docs/${page}.md is in no group of ${list}`),
    ...listed
      .filter((page, i) => listed.indexOf(page) !== i)
      .map((page) => `docs/${page}.md is twice in ${list}`),
    ...listed
      .filter((page) => !present.includes(page))
      .map((page) => `${list} lists docs/${page}.md, which does not exist`),
  ]
}

/** Returns the problems of the repository's own pages. */
export function checkPageList() {
  const listed = groups
    .flatMap(({ pages }) => pages.map((entry) => (Array.isArray(entry) ? entry[0] : entry)))
    .filter((page) => page !== 'api')
  const present = filesIn('docs', '.md')
    .map((path) => path.slice('docs/'.length, -'.md'.length))
    .filter((page) => page !== 'index')
  return pageProblems(listed, present)
}
