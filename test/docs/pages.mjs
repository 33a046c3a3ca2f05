/** Pages that the cases look at in Chromium: the first of each group of the sidebar, and kinds of their own. */
import { sidebar } from '../../docs/.vitepress/sidebar.mjs'

const firstOfGroups = sidebar().map(({ text = '', link = '' }) => [text, link])

/** @type {Record<string, string>} paths by names */
export const kinds = {
  home: '/',
  ...Object.fromEntries(firstOfGroups),
  'long code': '/guides/caching',
  'many tables': '/reference/column-sizes',
  'error codes': '/error-codes',
  'API index': '/reference/api/',
  'API page': '/reference/api/edge-kms/aws-kms',
  missing: '/no-such-page',
}
