/** The address of the repository, from package.json. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './folders.mjs'

const { repository: at } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))

/** `https://…` without `.git`. */
export const repository = String(at.url).replace(/^git\+|\.git$/g, '')
