/** Accessibility of a page, as axe-core judges it. */
import { accessibilityCheck } from '../../../tools/servers/chromium.mjs'

/**
 * Returns the violations, each with its first element.
 *
 * @param {{ evaluate(work: any, given?: any): Promise<any> }} page
 * @returns {Promise<string[]>}
 */
export async function barriers(page) {
  await page.evaluate(accessibilityCheck())
  const { violations } = await page.evaluate(() =>
    Reflect.get(globalThis, 'axe').run({ resultTypes: ['violations'] }),
  )
  return violations.map(({ id, nodes }) => `${id}: ${nodes[0].html}`)
}
