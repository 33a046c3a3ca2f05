/** `node tools/with.mjs <folder> <bin> [args]`: run a command of a tool folder from the root. */
import { binOf, run } from './lib/folders.mjs'

const [folder, bin, ...args] = process.argv.slice(2)
if (folder === undefined || bin === undefined) {
  console.error('usage: node tools/with.mjs <folder> <bin> [args]')
  process.exit(2)
}
process.exit(run(binOf(folder, bin), args))
