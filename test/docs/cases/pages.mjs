/** Pages of each kind in Chromium. */
import assert from 'node:assert/strict'
import { barriers } from '../../browser/cases/barriers.mjs'
import { kinds } from '../pages.mjs'
import { openPage, SCHEMES, WIDTHS } from '../page.mjs'

/** By how much the page is wider than the window. */
const tooWide = () => document.documentElement.scrollWidth - globalThis.innerWidth

/** Widths at which axe-core looks: in the dark only the colours differ. */
const JUDGED = { light: [360, 1440], dark: [1440] }

/** Looks at one page in one scheme: axe-core's findings, and the width at all three. */
async function look(world, path, scheme) {
  const { page, close } = await openPage(world, path, { scheme, width: WIDTHS[0] })
  try {
    for (const width of WIDTHS) {
      await page.setViewportSize({ width, height: 900 })
      const at = `${path} ${scheme} ${String(width)}`
      assert.ok((await page.evaluate(tooWide)) <= 0, `${at}: the page is wider than the window`)
      if (JUDGED[scheme].includes(width)) assert.deepEqual(await barriers(page), [], at)
    }
  } finally {
    await close()
  }
}

/** Plants what the checks must see: without it, a check that sees nothing would pass. */
async function controls(world) {
  const look = /** @type {const} */ ({ scheme: 'light', width: WIDTHS[0] })
  const barred = await openPage(world, '/guides/caching', look)
  await barred.page.evaluate(() => {
    document
      .querySelector('main')
      ?.append(document.createElement('img'), document.createElement('button'))
  })
  const found = await barriers(barred.page)
  assert.deepEqual(found.map((text) => text.split(':')[0]).sort(), ['button-name', 'image-alt'])
  await barred.close()

  const leaving = await openPage(world, '/guides/caching', look)
  await leaving.page.evaluate(() => fetch('https://example.com/a').catch(() => undefined))
  await assert.rejects(leaving.close, /a request left: https:\/\/example\.com\/a/)

  const broken = await openPage(world, '/guides/caching', look)
  await broken.page.evaluate(() => {
    const wide = document.createElement('div')
    wide.style.width = '2000px'
    wide.textContent = 'wide'
    document.body.append(wide)
  })
  assert.ok((await broken.page.evaluate(tooWide)) > 0)
  await broken.close()
}

/** @param {import('../page.mjs').World} world */
export const pageCases = (world) => [
  ...Object.entries(kinds).flatMap(([kind, path]) =>
    SCHEMES.map((scheme) => ({
      name: `site: ${kind}, ${scheme}: axe-core finds nothing, three widths fit, no request leaves loopback`,
      run: () => look(world, path, scheme),
    })),
  ),
  {
    name: 'site: a barrier, a request that leaves loopback and a page that is too wide are seen',
    run: () => controls(world),
  },
]
