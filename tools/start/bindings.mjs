import { relative } from 'node:path'
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

/**
 * What the Worker is given, and what the user is told about it. Vendor variables alone never switch
 * the KMS: only EDGE_KMS_AWS_KEY_ID does.
 * @param {string} root
 * @param {NodeJS.ProcessEnv} env
 */
export function bindingsOf(root, env) {
  const common = pick(env, ['EDGE_KMS_GATEWAY_HOSTS'])
  if (env['EDGE_KMS_AWS_KEY_ID']) {
    for (const name of ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY']) {
      if (!env[name]) throw new StartError(`EDGE_KMS_AWS_KEY_ID is set, and ${name} is not.`)
    }
    const about = [`KMS: AWS KMS, key ${env['EDGE_KMS_AWS_KEY_ID']}.`]
    return { bindings: { ...common, ...pick(env, AWS) }, about }
  }
  const names = Object.keys(env).filter((name) => /^EDGE_KMS_KEY_(?:V\d+|RETIRED)$/.test(name))
  if (names.some((name) => name !== 'EDGE_KMS_KEY_RETIRED')) {
    const about = [
      'KMS: the local key of EDGE_KMS_KEY_V…: for development, not for data that matters.',
    ]
    return { bindings: { ...common, ...pick(env, names) }, about }
  }
  const path = keyFilePath(root, env)
  const { keys, made } = readOrMakeKeyFile(path)
  const about = [
    `KMS: a local key ${made ? 'made just now' : 'read'} in ${relative(root, path)} (mode 0600, ignored by git).`,
    'It is for development: whoever reads that file can decrypt everything, and without it nothing can.',
  ]
  return { bindings: { ...common, ...keys }, about }
}

/** @param {NodeJS.ProcessEnv} env @param {readonly string[]} names */
function pick(env, names) {
  /** @type {Record<string, string>} */
  const picked = {}
  for (const name of names) {
    const value = env[name]
    if (value) picked[name] = value
  }
  return picked
}
