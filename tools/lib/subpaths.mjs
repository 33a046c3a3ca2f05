/** The subpaths of the package: where each is built from, and what it is called in `dist`. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './folders.mjs'

const { exports } = JSON.parse(readFileSync(join(root, 'deno.json'), 'utf8'))

/**
 * deno.json names the source of each subpath, as JSR publishes it: `./aws-kms` is built from
 * `./src/providers/aws-kms/index.ts` and becomes `dist/aws-kms.js` and `dist/aws-kms.d.ts`.
 *
 * @type {{ subpath: string, source: string, name: string }[]}
 */
export const subpaths = Object.entries(exports).map(([subpath, source]) => ({
  subpath,
  source: String(source),
  name: subpath === '.' ? 'index' : subpath.slice('./'.length),
}))
