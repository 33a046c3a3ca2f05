/** Pages of each kind in Chromium. */
import assert from 'node:assert/strict'
import { barriers } from '../../browser/cases/barriers.mjs'
import { kinds } from '../pages.mjs'
import { openPage, SCHEMES, WIDTHS } from '../page.mjs'

/** By how much the page is wider than the window. */
const tooWide = () => document.documentElement.scrollWidth - globalThis.innerWidth

/** Looks at one page in one scheme: axe-core's findings on a phone and on a desk, and the width on all three. */
async function look(world, path, scheme) {
  const { page, close } = await openPage(world, path, { scheme, width: WIDTHS[0] })
  try {
    for (const width of WIDTHS) {
      await page.setViewportSize({ width, height: 900 })
      const at = `${path} ${scheme} ${String(width)}`
      assert.ok((await page.evaluate(tooWide)) <= 0, `${at}: the page is wider than the window`)
      if (width !== 820) assert.deepEqual(await barriers(page), [], at)
    }
  } finally {
    await close()
  }
}

/** @param {import('../page.mjs').World} world */
export const pageCases = (world) =>
  Object.entries(kinds).flatMap(([kind, path]) =>
    SCHEMES.map((scheme) => ({
      name: `site: ${kind}, ${scheme}: axe-core finds nothing, three widths fit, no request leaves loopback`,
      run: () => look(world, path, scheme),
    })),
  )
