/** Pictures of pages at each width, in light and dark, for a person to look at. */
import { join } from 'node:path'
import { openPage, SCHEMES, WIDTHS } from './page.mjs'
import { kinds } from './pages.mjs'

/** @param {import('./page.mjs').World} world @param {string} folder */
export async function takeShots(world, folder) {
  for (const [kind, path] of Object.entries(kinds))
    for (const scheme of SCHEMES)
      for (const width of WIDTHS) {
        const { page, close } = await openPage(world, path, { scheme, width })
        const name = `${kind.replaceAll(' ', '-')}-${String(width)}-${scheme}.png`
        await page.screenshot({ path: join(folder, name) })
        await close()
      }
}
