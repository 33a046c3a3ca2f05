/**
 * `EDGE_KMS_CONFIG` for the Worker that `npm start` runs: it can read no files and sees no variables
 * but those that it is given.
 */
import { readFileSync } from 'node:fs'
import { createKms, createResilientKms } from '../../src/config/index.ts'
import { isKmsError } from '../../src/errors.ts'
import { MemoryKeyValueStore } from '../../src/stores/index.ts'
import { StartError } from './start-error.mjs'

/** Maps of a user's own strings: nothing in them is a reference. */
const MAPS = ['healthContext', 'tags']

/**
 * The configuration and what its references stand for, as bindings. Files are read once, here.
 *
 * @param {string} json
 * @param {NodeJS.ProcessEnv} env
 */
export function configBindings(json, env) {
  /** @type {Record<string, string>} */
  const bindings = {}
  const config = forWorker(parse(json), env, bindings)
  try {
    // The Worker would refuse it too, at its first request.
    const resolve = (/** @type {any} */ { env: name }) => bindings[name]
    const about = [`KMS: ${namesOf(config, resolve)}, as EDGE_KMS_CONFIG says.`]
    return { bindings: { ...bindings, EDGE_KMS_CONFIG: JSON.stringify(config) }, about }
  } catch (error) {
    if (!isKmsError(error)) throw error
    throw new StartError(`EDGE_KMS_CONFIG cannot be used: ${error.message}.`)
  }
}

/**
 * Returns the name of the KMS, or of all of them, once the configuration was found good.
 *
 * @param {any} config
 * @param {import('../../src/config/index.ts').ConfigResolver} resolve
 */
function namesOf(config, resolve) {
  if (!Object.hasOwn(Object(config), 'kms')) return createKms(config, { resolve }).providerName
  // It may name the Durable Object of wrangler.toml, which the Worker has.
  createResilientKms(config, { resolve, bindings: { EDGE_KMS_STORE: new MemoryKeyValueStore() } })
  return [config.kms]
    .flat()
    .map(({ provider }) => provider)
    .join(' and ')
}

/** @param {string} json */
function parse(json) {
  try {
    return JSON.parse(json)
  } catch {
    throw new StartError('EDGE_KMS_CONFIG is not JSON.')
  }
}

/**
 * A copy in which every reference is one to a binding.
 *
 * @param {any} value
 * @param {NodeJS.ProcessEnv} env
 * @param {Record<string, string>} bindings
 * @returns {any}
 */
function forWorker(value, env, bindings) {
  if (Array.isArray(value)) return value.map((one) => forWorker(one, env, bindings))
  if (typeof value !== 'object' || value === null) return value
  const [name, ...more] = Object.keys(value)
  if (more.length === 0 && typeof value[name ?? ''] === 'string') {
    if (name === 'env') {
      bindings[value.env] = env[value.env] ?? ''
      return value
    }
    if (name === 'file') {
      const binding = `EDGE_KMS_FILE_${Object.keys(bindings).length}`
      bindings[binding] = textOf('EDGE_KMS_CONFIG', value.file)
      return { env: binding }
    }
  }
  return Object.fromEntries(
    Object.entries(value).map(([key, one]) => [
      key,
      MAPS.includes(key) ? one : forWorker(one, env, bindings),
    ]),
  )
}

/**
 * @param {string} variable - that names the file
 * @param {string} path
 */
export function textOf(variable, path) {
  try {
    return readFileSync(path, 'utf8').trim()
  } catch (error) {
    const code = /** @type {NodeJS.ErrnoException} */ (error).code ?? 'unreadable'
    throw new StartError(`${variable} names the file ${path}, which cannot be read: ${code}.`)
  }
}
