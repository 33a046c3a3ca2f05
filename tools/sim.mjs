/** `npm run sim`: worlds in which everything fails that can. See test/simulation/main.ts. */
import { join } from 'node:path'
import { node24, root, run } from './lib/folders.mjs'

process.exit(run(node24, [join(root, 'test', 'simulation', 'main.ts'), ...process.argv.slice(2)]))
