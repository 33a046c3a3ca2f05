/** Opens pages of the site, and sees every request that they make. */
import assert from 'node:assert/strict'

/** @typedef {{ browser: any, origin: string }} World */

/** A phone, a tablet, a desk. */
export const WIDTHS = /** @type {const} */ ([360, 820, 1440])
export const SCHEMES = /** @type {const} */ (['light', 'dark'])

/**
 * Opens a page in a profile of its own and waits until it is alive. `close` fails if the page made a request that left
 * loopback, or threw.
 *
 * @param {World} world
 * @param {string} path
 * @param {{ scheme: 'light' | 'dark', width: number }} look
 */
export async function openPage({ browser, origin }, path, { scheme, width }) {
  const context = await browser.newContext({
    colorScheme: scheme,
    viewport: { width, height: 900 },
    reducedMotion: 'reduce',
  })
  /** @type {string[]} */
  const problems = []
  context.on('request', (request) => {
    const { protocol, origin: to } = new URL(request.url())
    if (to !== origin && protocol !== 'data:') problems.push(`a request left: ${request.url()}`)
  })
  context.on('weberror', (error) => problems.push(`not caught: ${String(error.error())}`))
  const page = await context.newPage()
  await page.goto(origin + path)
  await page.waitForFunction(() => '__vue_app__' in (document.querySelector('#app') ?? {}))
  return {
    page,
    close: async () => {
      await context.close()
      assert.deepEqual(problems, [], path)
    },
  }
}
