/** The search, without a network. */
import assert from 'node:assert/strict'
import { openPage, WIDTHS } from '../page.mjs'

async function results(world, words) {
  const { page, close } = await openPage(world, '/', { scheme: 'light', width: WIDTHS[2] })
  try {
    await page.getByRole('button', { name: 'Search' }).click()
    await page.locator('#localsearch-input').fill(words)
    await page.locator('.results .result').first().waitFor({ timeout: 15_000 })
    const found = page.locator('.results a.result')
    return await found.evaluateAll((links) =>
      links.map((link) => ({
        path: link.getAttribute('href') ?? '',
        text: link.textContent ?? '',
      })),
    )
  } finally {
    await close()
  }
}

/** @param {import('../page.mjs').World} world */
export const searchCases = (world) => [
  {
    name: 'site: the search finds "rotation", guides before the API',
    run: async () => {
      const found = await results(world, 'rotation')
      assert.match(found[0]?.path ?? '', /^\/(?:guides|lessons|operate)\//)
      assert.match(found[0]?.text ?? '', /rotat/i)
    },
  },
  {
    name: 'site: the search finds an error code',
    run: async () => {
      const found = await results(world, 'ERR_DECRYPT_FAILED')
      assert.ok(found.some(({ path }) => path.startsWith('/error-codes')))
    },
  },
]
