/** Builds vale, which checks prose, from the Go module proxy. */
import { join } from 'node:path'
import { ensureInstalled } from '../servers/cache.mjs'
import { buildGoProgram } from '../servers/go.mjs'

const recipe = {
  name: 'vale',
  version: '3.19.0',
  /** @param {string} folder */
  install(folder) {
    buildGoProgram({
      folder,
      name: 'vale',
      module: 'github.com/errata-ai/vale/v3',
      version: 'v3.19.0',
      main: 'github.com/errata-ai/vale/v3/cmd/vale',
      // Its parsers of code are written in C.
      cgo: true,
    })
  },
}

/** Returns the path of vale, built if it is not there yet. @throws MissingError what the machine lacks */
export async function ensureVale() {
  return join(await ensureInstalled(recipe), recipe.name)
}
