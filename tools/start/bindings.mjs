import { isAbsolute, relative } from 'node:path'
import { gatewayOptionsFromEnv } from '../../adapters/gateway/env-options.ts'
import { isKmsError } from '../../src/errors.ts'
import { EnvKeyProvider } from '../../src/providers/local/index.ts'
import { configBindings } from './config.mjs'
import { keyFilePath, readOrMakeKeyFile } from './key-file.mjs'
import { StartError } from './start-error.mjs'

/** Variables that the Worker reads itself. */
const AWS = [
  'EDGE_KMS_AWS_KEY_ID',
  'AWS_REGION',
  'AWS_ACCESS_KEY_ID',
  'AWS_SECRET_ACCESS_KEY',
  'AWS_SESSION_TOKEN',
  'EDGE_KMS_AWS_ENDPOINT',
]
const GATEWAY = ['EDGE_KMS_GATEWAY_HOSTS', 'EDGE_KMS_GATEWAY_HOLD_BYTES']
const RETIRED = 'EDGE_KMS_KEY_RETIRED'

/**
 * What the Worker is given, and what the user is told about it. Vendor variables alone never switch
 * the KMS: only EDGE_KMS_CONFIG and EDGE_KMS_AWS_KEY_ID do.
 *
 * @param {string} root
 * @param {NodeJS.ProcessEnv} env
 */
export function bindingsOf(root, env) {
  const common = checkedGateway(pick(env, GATEWAY))
  if (env['EDGE_KMS_CONFIG']) {
    if (env['EDGE_KMS_AWS_KEY_ID'])
      throw new StartError('EDGE_KMS_CONFIG and EDGE_KMS_AWS_KEY_ID are both set: take one away.')
    const { bindings, about } = configBindings(env['EDGE_KMS_CONFIG'], env)
    return { bindings: { ...common, ...bindings }, about }
  }
  if (env['EDGE_KMS_AWS_KEY_ID']) {
    for (const name of ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY']) {
      if (!env[name]) throw new StartError(`EDGE_KMS_AWS_KEY_ID is set, and ${name} is not.`)
    }
    const about = [`KMS: AWS KMS, key ${env['EDGE_KMS_AWS_KEY_ID']}.`]
    return { bindings: { ...common, ...pick(env, AWS) }, about }
  }
  const names = keyNames(env)
  if (names.some((name) => name !== RETIRED)) {
    const keys = checked(pick(env, names), 'the environment')
    const about = [
      'KMS: the local key of EDGE_KMS_KEY_V…: for development, not for data that matters.',
    ]
    return { bindings: { ...common, ...keys }, about }
  }
  const path = keyFilePath(root, env)
  const { keys, made } = readOrMakeKeyFile(path)
  const shown = shortPath(root, path)
  const about = [
    `KMS: a local key ${made ? 'made just now' : 'read'} in ${shown} (mode 0600). Keep it out of git.`,
    'It is for development: anyone who reads that file can decrypt everything; without it, nobody can.',
  ]
  return { bindings: { ...common, ...checked({ ...pick(env, names), ...keys }, shown) }, about }
}

/**
 * A misspelt name must not make a key vanish in silence, and another one be used.
 *
 * @param {NodeJS.ProcessEnv} env
 */
function keyNames(env) {
  const names = Object.keys(env).filter((name) => name.startsWith('EDGE_KMS_KEY'))
  const unknown = names.find((name) => name !== RETIRED && !/^EDGE_KMS_KEY_V[1-9]\d*$/.test(name))
  if (unknown === undefined) return names
  throw new StartError(
    `${unknown} is no variable that is read: keys are EDGE_KMS_KEY_V1, EDGE_KMS_KEY_V2, …, and ${RETIRED} lists versions.`,
  )
}

/**
 * The Worker would refuse them too, at its first request.
 *
 * @param {Record<string, string>} variables
 */
function checkedGateway(variables) {
  try {
    gatewayOptionsFromEnv(variables)
    return variables
  } catch (error) {
    if (!isKmsError(error)) throw error
    throw new StartError(`${error.message}.`)
  }
}

/**
 * The Worker would refuse them too, at its first request.
 *
 * @param {Record<string, string>} keys
 * @param {string} place
 */
function checked(keys, place) {
  try {
    new EnvKeyProvider(keys)
    return keys
  } catch (error) {
    if (!isKmsError(error)) throw error
    throw new StartError(`a local key of ${place} cannot be used: ${error.message}.`)
  }
}

/**
 * @param {NodeJS.ProcessEnv} env
 * @param {readonly string[]} names
 */
function pick(env, names) {
  /** @type {Record<string, string>} */
  const picked = {}
  for (const name of names) {
    const value = env[name]
    if (value) picked[name] = value
  }
  return picked
}

/**
 * From the repository where it lies there.
 *
 * @param {string} root
 * @param {string} path
 */
function shortPath(root, path) {
  const short = relative(root, path)
  return short.startsWith('..') || isAbsolute(short) ? path : short
}
