/** The documentation site: `npm run docs`. */
import { defineConfig } from 'vitepress'
import { anchor } from '../../tools/lib/anchors.mjs'
import { repository } from '../../tools/lib/repository.mjs'
import { drawDiagrams } from './diagrams.mjs'
import { linkOutside } from './links.mjs'
import { sidebar } from './sidebar.mjs'
import { plainCorners } from './tables.mjs'

const icon =
  "data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'><rect width='16' height='16' rx='4' fill='%230f766e'/><path d='M5 7V5.5a3 3 0 0 1 6 0V7' fill='none' stroke='white' stroke-width='1.5'/><rect x='4' y='7' width='8' height='6' rx='1.5' fill='white'/></svg>"
const isApi = (path) => path.startsWith('reference/api/')

export default defineConfig({
  title: 'edge-kms',
  description: 'Key management and envelope encryption for code that runs at the edge.',
  lang: 'en',
  base: process.env['EDGE_KMS_DOCS_BASE'] ?? '/',
  cleanUrls: true,
  head: [['link', { rel: 'icon', href: icon }]],
  // The largest chunk is the index of the search, which a reader loads with the first search.
  vite: { build: { chunkSizeWarningLimit: 8_192 } },
  markdown: {
    anchor: { slugify: anchor },
    theme: { light: 'github-light-high-contrast', dark: 'github-dark-high-contrast' },
    config: (md) => {
      linkOutside(md)
      drawDiagrams(md)
      plainCorners(md)
    },
  },
  transformPageData(page) {
    // Pages that the code makes have nothing to edit.
    if (isApi(page.relativePath)) page.frontmatter['editLink'] = false
  },
  themeConfig: {
    nav: [
      { text: 'Start', link: '/start/node', activeMatch: '^/start/' },
      { text: 'Guides', link: '/guides/choosing-a-kms', activeMatch: '^/guides/' },
      { text: 'API', link: '/reference/api/', activeMatch: '^/reference/api/' },
    ],
    sidebar: sidebar(),
    outline: { level: [2, 3] },
    search: {
      provider: 'local',
      options: {
        miniSearch: {
          // A guide says more than the entry of a symbol, or the record of a decision, with the same words.
          searchOptions: {
            boostDocument: (id) => {
              if (
                /\/(?:reference\/api|adr|requirements|proof|faults|live-tests|releasing)/.test(id)
              )
                return 0.3
              // The name of a vendor still finds its page.
              return id.includes('/providers/') ? 0.7 : 1
            },
          },
        },
      },
    },
    socialLinks: [{ icon: 'github', link: repository }],
    editLink: { pattern: `${repository}/edit/main/docs/:path`, text: 'Edit this page' },
    footer: { message: 'Apache-2.0' },
  },
})
