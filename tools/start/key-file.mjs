import { randomBytes } from 'node:crypto'
import {
  chmodSync,
  linkSync,
  mkdirSync,
  readFileSync,
  statSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { StartError } from './start-error.mjs'

/**
 * @param {string} root
 * @param {NodeJS.ProcessEnv} env
 */
export function keyFilePath(root, env) {
  return resolve(env['EDGE_KMS_STATE_DIR'] || join(root, '.edge-kms'), 'local-key.json')
}

/**
 * The keys in the file, by the names of the variables that hold them elsewhere. A missing file is
 * made; a damaged one, or one that others can read, is never mended in silence: data may hang on it.
 * @param {string} path
 */
export function readOrMakeKeyFile(path) {
  const found = readKeyFile(path)
  if (found !== undefined) return { keys: found, made: false }
  makeKeyFile(path)
  return { keys: /** @type {Record<string, string>} */ (readKeyFile(path)), made: true }
}

/** @param {string} path */
function readKeyFile(path) {
  let text
  try {
    refuseOthers(path)
    text = readFileSync(path, 'utf8')
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    throw unusable(error, path)
  }
  return parse(text, path)
}

/**
 * Nobody else may read the file, nor put another in its place.
 *
 * @param {string} path
 */
function refuseOthers(path) {
  if (process.platform === 'win32') return // it has no such modes
  const { mode } = statSync(path)
  if ((mode & 0o077) !== 0) {
    throw new StartError(
      `the key file ${path} can be read by others (mode ${octal(mode)}). If nobody else may have seen it, run: chmod 600 '${path}'`,
    )
  }
  const folder = dirname(path)
  const folderMode = statSync(folder).mode
  if ((folderMode & 0o022) !== 0) {
    throw new StartError(
      `others can put a key file of theirs into ${folder} (mode ${octal(folderMode)}). Run: chmod 700 '${folder}'`,
    )
  }
}

/** @param {number} mode */
function octal(mode) {
  return (mode & 0o777).toString(8).padStart(4, '0')
}

/**
 * @param {string} text
 * @param {string} path
 */
function parse(text, path) {
  const damaged = new StartError(
    `the key file ${path} is damaged. Restore it from a backup. If nothing that matters was encrypted under it, delete it: a new key is made at the next start.`,
  )
  let content
  try {
    content = JSON.parse(text)
  } catch {
    throw damaged
  }
  const entries = Object.entries(content?.keys ?? {})
  if (content?.format !== 1 || entries.length === 0) throw damaged
  /** @type {Record<string, string>} */
  const keys = {}
  for (const [version, key] of entries) {
    const whole = typeof key === 'string' && Buffer.from(key, 'base64').toString('base64') === key
    if (!/^[1-9]\d*$/.test(version) || !whole || Buffer.from(key, 'base64').length !== 32)
      throw damaged
    keys[`EDGE_KMS_KEY_V${version}`] = key
  }
  return keys
}

/**
 * Whole or not at all: written beside its place and linked there, which fails if another process
 * was faster; then that one's key counts.
 * @param {string} path
 */
function makeKeyFile(path) {
  const content = { format: 1, keys: { 1: randomBytes(32).toString('base64') } }
  const draft = `${path}.${process.pid}.draft`
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
    writeFileSync(draft, `${JSON.stringify(content, undefined, 2)}\n`, {
      mode: 0o600,
      flag: 'wx',
      flush: true,
    })
    chmodSync(draft, 0o600)
    linkSync(draft, path)
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw unusable(error, path)
  } finally {
    try {
      unlinkSync(draft)
    } catch {
      // The draft did not exist.
    }
  }
}

/**
 * @param {unknown} error
 * @param {string} path
 */
function unusable(error, path) {
  const code = codeOf(error)
  if (code === undefined) return error
  return new StartError(
    `the key file ${path} cannot be used (${code}). Make its folder yours, or name another with EDGE_KMS_STATE_DIR.`,
  )
}

/** @param {unknown} error */
function codeOf(error) {
  return error instanceof Error && 'code' in error ? String(error.code) : undefined
}
