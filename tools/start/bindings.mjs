import { isAbsolute, relative } from 'node:path'
import { gatewayOptionsFromEnv } from '../../adapters/gateway/env-options.ts'
import { anyKmsFromEnv } from '../../src/config/index.ts'
import { isKmsError } from '../../src/errors.ts'
import { stackFromEnv } from '../../src/index.ts'
import { EnvKeyProvider } from '../../src/providers/local/index.ts'
import { chosenVariables } from '../../src/stack/key-variables.ts'
import { configBindings, textOf } from './config.mjs'
import { keyFilePath, readOrMakeKeyFile } from './key-file.mjs'
import { StartError } from './start-error.mjs'

/** Variables that the Worker reads itself, by the one that names the key. */
const VENDORS = {
  EDGE_KMS_AWS_KEY_ID: [
    ...['AWS_REGION', 'AWS_DEFAULT_REGION', 'AWS_USE_FIPS_ENDPOINT', 'AWS_USE_DUALSTACK_ENDPOINT'],
    ...['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN', 'EDGE_KMS_AWS_ENDPOINT'],
  ],
  EDGE_KMS_GCP_KEY_ID: ['GOOGLE_APPLICATION_CREDENTIALS', 'GCE_METADATA_HOST'],
  EDGE_KMS_AZURE_KEY_ID: [
    ...['AZURE_TENANT_ID', 'AZURE_CLIENT_ID', 'AZURE_CLIENT_SECRET', 'AZURE_AUTHORITY_HOST'],
    ...['IDENTITY_ENDPOINT', 'IDENTITY_HEADER'],
  ],
  EDGE_KMS_VAULT_KEY_ID: [
    ...['VAULT_ADDR', 'VAULT_NAMESPACE', 'VAULT_TOKEN', 'VAULT_ROLE_ID', 'VAULT_SECRET_ID'],
  ],
}
const STORE = ['EDGE_KMS_STORE_AUTH_KEY', 'EDGE_KMS_PARTITION']
const GATEWAY = ['EDGE_KMS_GATEWAY_HOSTS', 'EDGE_KMS_GATEWAY_HOLD_BYTES']
const CONFIG = 'EDGE_KMS_CONFIG'
const GOOGLE = 'GOOGLE_APPLICATION_CREDENTIALS'

/**
 * Returns the Worker's bindings, and the words for the user about them. Vendor variables alone never switch
 * the KMS: only EDGE_KMS_CONFIG and the variables that name a key do.
 *
 * @param {string} root
 * @param {NodeJS.ProcessEnv} env
 */
export function bindingsOf(root, env) {
  const common = { ...checkedGateway(pick(env, GATEWAY)), ...pick(env, STORE) }
  const chosen = chosenIn(env)
  if (chosen === CONFIG) {
    const { bindings, about } = configBindings(env[CONFIG] ?? '', env)
    return { bindings: { ...common, ...bindings }, about }
  }
  for (const [name, others] of Object.entries(VENDORS))
    if (chosen === name) return vendorBindings(name, others, env, common)
  const names = Object.keys(env).filter((name) => name.startsWith('EDGE_KMS_KEY_'))
  if (chosen !== undefined) {
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
 * The variable that names the key. A misspelt name must not make a key vanish in silence, and another one be used.
 *
 * @param {NodeJS.ProcessEnv} env
 */
function chosenIn(env) {
  const given = Object.entries(env).filter(([name, value]) => value && name.startsWith('EDGE_KMS_'))
  try {
    const [first, second] = chosenVariables(Object.fromEntries(given))
    if (second === undefined) return first
    throw new StartError(`${first} and ${second} are both set: take one away.`)
  } catch (error) {
    if (!isKmsError(error)) throw error
    throw new StartError(error.message.endsWith('?') ? error.message : `${error.message}.`)
  }
}

/**
 * @param {string} name
 * @param {readonly string[]} others
 * @param {NodeJS.ProcessEnv} env
 * @param {Record<string, string>} common
 */
function vendorBindings(name, others, env, common) {
  const bindings = pick(env, [name, ...others])
  const file = bindings[GOOGLE]
  // A Worker has no files.
  if (file !== undefined && !file.startsWith('{')) bindings[GOOGLE] = textOf(GOOGLE, file)
  try {
    // The Worker would refuse them too, at its first request.
    const { kms } = stackFromEnv(bindings, { kms: anyKmsFromEnv })
    return {
      bindings: { ...common, ...bindings },
      about: [`KMS: ${kms.providerName}, key ${env[name]}.`],
    }
  } catch (error) {
    if (!isKmsError(error)) throw error
    throw new StartError(`${name} is set, and cannot be used: ${error.message}.`)
  }
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
