/** Reports of a rotation as pages: what they show, what axe-core says of them, and what their policy refuses. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { scratchFolder } from '../../../tools/lib/pack.mjs'
import { HOSTILE, rotationReports } from '../rotation-reports.mjs'
import { barriers } from './barriers.mjs'
import { withPage } from './page.mjs'

const WIDTHS = [360, 820, 1440]

/** Made once for all cases: the URL of each report. */
let made
function pages() {
  made ??= rotationReports().then((reports) => {
    const folder = scratchFolder('reports')
    return Object.entries(reports).map(([name, { html }]) => {
      const path = join(folder, `${name}.html`)
      writeFileSync(path, html)
      return pathToFileURL(path).href
    })
  })
  return made
}

/** Texts that a reader must not see. */
function flaws() {
  const { scrollWidth } = document.documentElement
  return {
    isTooWide: scrollWidth > globalThis.innerWidth,
    hasRunCode: Reflect.has(globalThis, 'owned'),
    elements: document.querySelectorAll('script, img, link, iframe, [style], [onerror]').length,
    isUnstyled:
      getComputedStyle(document.querySelector('main') ?? document.body).maxWidth === 'none',
  }
}

/** Adds what an attacker would add, and returns the directives that refused it. */
async function attack() {
  /** @type {string[]} */
  const refused = []
  document.addEventListener('securitypolicyviolation', ({ effectiveDirective }) =>
    refused.push(effectiveDirective),
  )
  const script = document.createElement('script')
  script.textContent = 'globalThis.owned = true'
  const image = document.createElement('img')
  image.src = 'http://127.0.0.1:9/x'
  const style = document.createElement('style')
  style.textContent = 'main{display:none}'
  document.body.append(script, image, style)
  document.body.setAttribute('style', 'display:none')
  await new Promise((resolve) => setTimeout(resolve, 200))
  return { refused: refused.sort(), hasRunCode: Reflect.has(globalThis, 'owned') }
}

/** Watches a page: it must load only itself, and print nothing. */
function watched(page, url) {
  /** @type {string[]} */
  const seen = []
  page.on('console', (message) => seen.push(message.text()))
  page.on('request', (request) => {
    if (request.url() !== url) seen.push(request.url())
  })
  return seen
}

/** @type {import('./case.ts').Cases} */
export const reportCases = ({ fresh }) => [
  {
    name: 'browser: a report of a rotation fits three widths in light and dark, and axe-core finds nothing',
    run: async () => {
      for (const url of await pages())
        await withPage(fresh(), 'about:blank', async (page) => {
          const seen = watched(page, url)
          for (const colorScheme of /** @type {const} */ (['light', 'dark']))
            for (const width of WIDTHS) {
              await page.setViewportSize({ width, height: 800 })
              await page.emulateMedia({ colorScheme })
              await page.goto(url)
              const clean = { isTooWide: false, hasRunCode: false, elements: 0, isUnstyled: false }
              assert.deepEqual(await page.evaluate(flaws), clean, `${url} ${width} ${colorScheme}`)
              // Its answer depends on colours and not on the width.
              if (width === WIDTHS[0]) assert.deepEqual(await barriers(page), [], url)
            }
          assert.deepEqual(seen, [])
        })
    },
  },
  {
    name: 'browser: in a report of a rotation a hostile record id is text',
    run: async () => {
      const url = (await pages()).find((one) => one.endsWith('run.html')) ?? ''
      const cells = await withPage(fresh(), url, (page) =>
        page.evaluate(() =>
          Array.from(document.querySelectorAll('td'), (cell) => cell.textContent),
        ),
      )
      for (const id of HOSTILE.slice(0, 3)) assert.ok(cells.includes(id), id)
      assert.ok(cells.includes(String.raw`\u{202e}gnp.exe\u{1b}[31m`))
    },
  },
  {
    name: 'browser: the policy of a report of a rotation refuses scripts, pictures and other styles',
    run: async () => {
      const [url = ''] = await pages()
      const { refused, hasRunCode } = await withPage(fresh(), url, (page) => page.evaluate(attack))
      assert.deepEqual(refused, ['img-src', 'script-src-elem', 'style-src-attr', 'style-src-elem'])
      assert.equal(hasRunCode, false)
    },
  },
]
