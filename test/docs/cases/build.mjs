/** Checks of the built files, without a browser. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { subpaths } from '../../../tools/lib/subpaths.mjs'
import { deadReferences, foreignLoads } from '../../../tools/docs/references.mjs'

/** Every file of the site by its path; the text of pages and style sheets. */
function filesOf(folder) {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true })
  return new Map(
    entries
      .filter((entry) => entry.isFile())
      .map(({ parentPath, name }) => {
        const path = join(parentPath, name)
        const isText = /\.(?:html|css)$/.test(name)
        return [relative(folder, path), isText ? readFileSync(path, 'utf8') : '']
      }),
  )
}

/** @param {string} folder of the built site */
export function buildCases(folder) {
  const files = filesOf(folder)
  const pages = [...files.keys()].filter((path) => path.endsWith('.html'))
  return [
    {
      name: 'site: every link and every anchor of every page leads somewhere',
      run: () => {
        assert.ok(pages.length > 60, `only ${String(pages.length)} pages were built`)
        assert.deepEqual(deadReferences(files), [])
      },
    },
    {
      name: 'site: no page and no style sheet loads from another host',
      run: () => assert.deepEqual(foreignLoads(files), []),
    },
    {
      name: 'site: every subpath has its page of the API',
      run: () => {
        const wanted = subpaths.map(
          ({ subpath }) => `reference/api/${subpath.replace(/^\./, 'edge-kms')}.html`,
        )
        assert.deepEqual(
          wanted.filter((path) => !pages.includes(path)),
          [],
        )
      },
    },
    {
      name: 'site: every mermaid block became a drawing with a name',
      run: () => {
        const all = pages.map((path) => files.get(path) ?? '').join('')
        assert.equal(/class="language-mermaid/.test(all), false)
        const figures = [...all.matchAll(/<figure class="diagram".*?<\/figure>/gs)].map(String)
        assert.ok(figures.length > 0)
        assert.deepEqual(
          figures.filter((one) => !/role="img" aria-label="[^"]+"/.test(one)),
          [],
        )
      },
    },
  ]
}
