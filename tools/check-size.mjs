/**
 * How much of a Worker the library takes, and that the core carries nothing it should not: no
 * provider, no hono, no zod, no module of Node. Measured on the built package.
 */
import { SourceMap } from 'node:module'
import { relative, resolve } from 'node:path'
import { bundleOf, gzipOf } from './lib/bundle.mjs'
import { root } from './lib/folders.mjs'

/** The size of each bundle now, rounded up: docs/adr/0011 and 0012. A growing part has to raise its limit. */
const coreLimit = 20.75 * 1024
const awsLimit = 29.5 * 1024
/** For a provider beyond the core; signing with jose is only there where it is imported. */
const providerLimit = 27.875 * 1024
/** The core, and the level of the cache that isolates share. */
const sharedLimit = 25.5 * 1024
/** Every provider with all its credentials, a KEK for each customer, and zod. */
const configLimit = 56.5 * 1024
/** The same with the layers against outages, the cache with the format below it, and the level that isolates share. */
const stackLimit = 83.75 * 1024
/** A whole stack from the environment, of one vendor. */
const envLimit = 43 * 1024
/** Names that `stackFromEnv` knows without the vendor. */
const envNames = ['EDGE_KMS_KEY_V']

/** All that a Lambda function with AWS KMS needs, with the whole adapter, and Node's network, which signs. */
const lambdaLimit = 36 * 1024

/** Both stores of a backend by themselves, with the AWS signer where they need it. */
const storeLimit = 11.5 * 1024
/** Encrypted objects over a binding, with what they parse of an envelope; the cipher is not in it. */
const objectsLimit = 13.25 * 1024

/** A manager of rotations, with the cipher that rewraps; no source is in it. */
const rotationLimit = 40 * 1024

/** The client of a service binding: another Worker's bundle carries no cipher. */
const clientLimit = 4 * 1024
/** The service behind it: the cipher, AWS KMS and its credentials. */
const serviceLimit = 36 * 1024
/** The same with a whole stack from the environment: docs/adr/0013-size-of-a-service-from-env.md. */
const envServiceLimit = 46.375 * 1024

/** Text that only the barred code contains; minifying keeps strings. */
const markers = {
  'the local provider': ['EDGE_KMS_KEY_V', 'edge-kms/v1/local-wrap'],
  'the AWS provider': ['TrentService', 'kms.amazonaws', 'x-amz-'],
  'the GCP provider': ['cloudkms'],
  'the Azure provider': ['vault.azure.net'],
  'the Vault provider': ['X-Vault-'],
  hono: ['text/plain; charset=UTF-8', 'This error occurs in'],
  zod: ['ZodError', '$Zod', 'invalid_union'],
}

/** Sources of credentials: in a Worker only where they are imported. */
const unasked = [
  ...['AssumeRole', '169.254.1', 'AWS_ACCESS_KEY_ID', 'client_assertion'],
  ...['computeMetadata', 'generateAccessToken', 'BEGIN PRIVATE KEY', 'token-exchange'],
]

/** The one marker of {@link markers} that a provider's bundle may hold; no provider pulls another's code in. */
const ownMarker = {
  'core and AWS KMS': 'the AWS provider',
  'core and Vault transit': 'the Vault provider',
  'core and GCP KMS': 'the GCP provider',
  "core, Google's client": 'the GCP provider',
  'core and Azure': 'the Azure provider',
  'stack from env, AWS': 'the AWS provider',
  'stack from env, Vault': 'the Vault provider',
}

/** Source files that must not lend one byte to the core, and packages of others. */
const barredFiles = /(^|\/)node_modules\/|^src\/(providers|config|testing|stores)\/|^adapters\//

async function bundle(code) {
  const { text, map, imports, files } = await bundleOf(code)
  return { text, imports, files: [...files, ...sourcesOf(text, JSON.parse(map))] }
}

/** The files of `src` and `adapters` that the code comes from: the package's own maps lead there. */
function sourcesOf(text, payload) {
  const map = new SourceMap(payload)
  const found = new Set()
  for (const [line, code] of text.split('\n').entries())
    for (let column = 0; column < code.length; column++) {
      const entry = map.findEntry(line, column)
      if ('originalSource' in entry && entry.originalSource !== undefined)
        found.add(entry.originalSource)
    }
  return [...found].map((path) => relative(root, resolve(root, path)))
}

/** Returns the parts of a bundle that the core must not hold. */
function bleedOf({ text, imports, files }) {
  const found = imports.map(({ path }) => `imports ${path}`)
  for (const [what, words] of Object.entries(markers))
    for (const word of words) if (text.includes(word)) found.push(`contains ${what} ("${word}")`)
  return [
    ...found,
    ...files.filter((file) => barredFiles.test(file)).map((file) => `contains ${file}`),
  ]
}

/** Whether a bundle with this limit may hold a word of another vendor. */
const isKnown = (word, limit) => limit === envLimit && envNames.includes(word)

const kib = (bytes) => (bytes / 1024).toFixed(2).padStart(7)

const problems = []
/** @type {[name: string, code: string, limit: number | undefined][]} */
const rows = [
  ['core (EnvelopeCipher)', "export { EnvelopeCipher } from 'edge-kms'", coreLimit],
  ['whole root', "export * from 'edge-kms'", undefined],
  [
    'core and local',
    "export { EnvelopeCipher } from 'edge-kms'\nexport { createLocalKms } from 'edge-kms/local'",
    undefined,
  ],
  [
    'core and AWS KMS',
    "export { EnvelopeCipher } from 'edge-kms'\nexport { createAwsKms } from 'edge-kms/aws-kms'",
    awsLimit,
  ],
  [
    'core and Vault transit',
    "export { EnvelopeCipher } from 'edge-kms'\nexport { createVaultTransitKms, vaultAppRole, vaultJwt, vaultKubernetes, vaultToken } from 'edge-kms/vault-transit'",
    providerLimit,
  ],
  [
    'core and GCP KMS',
    "export { EnvelopeCipher } from 'edge-kms'\nexport { createGcpKms } from 'edge-kms/gcp-kms'",
    providerLimit,
  ],
  [
    "core, Google's client",
    "export { EnvelopeCipher } from 'edge-kms'\nexport { createGoogleCloudKms } from 'edge-kms/google-cloud-kms'",
    providerLimit,
  ],
  [
    'core and Azure',
    "export { EnvelopeCipher } from 'edge-kms'\nexport { createAzureKeyVaultKms } from 'edge-kms/azure-key-vault'",
    providerLimit,
  ],
  [
    'core and shared keys',
    "export { CachedKms, EnvelopeCipher } from 'edge-kms'\nexport { sharedDataKeys } from 'edge-kms/shared-keys'",
    sharedLimit,
  ],
  [
    'stack from env, AWS',
    "export { stackFromEnv } from 'edge-kms'\nexport { awsKmsFromEnv } from 'edge-kms/aws-kms'",
    envLimit,
  ],
  [
    'stack from env, Vault',
    "export { stackFromEnv } from 'edge-kms'\nexport { vaultKmsFromEnv } from 'edge-kms/vault-transit'",
    envLimit,
  ],
  ['config, all providers', "export { createKms } from 'edge-kms/config'", configLimit],
  ['config, whole stack', "export { createResilientKms } from 'edge-kms/config'", stackLimit],
  [
    'stores on DynamoDB',
    "export { DynamoDbDataKeyStore, DynamoDbKeyValueStore } from 'edge-kms/stores'",
    storeLimit,
  ],
  [
    'stores on PostgreSQL',
    "export { PostgresDataKeyStore, PostgresKeyValueStore } from 'edge-kms/stores'",
    storeLimit,
  ],
  ['Workers client', "export { createCipherClient } from 'edge-kms/workers'", clientLimit],
  [
    'Workers service, AWS',
    "export { EnvelopeCipher } from 'edge-kms'\nexport { awsCredentialsFromEnv, createAwsKms } from 'edge-kms/aws-kms'\nexport { CipherEntrypoint } from 'edge-kms/workers/entrypoint'",
    serviceLimit,
  ],
  [
    'service from env, AWS',
    "export { stackFromEnv } from 'edge-kms'\nexport { awsKmsFromEnv } from 'edge-kms/aws-kms'\nexport { CipherEntrypoint } from 'edge-kms/workers/entrypoint'",
    envServiceLimit,
  ],
  ['objects on R2', "export { EncryptedBucket, r2Bucket } from 'edge-kms/objects'", objectsLimit],
  [
    'objects on R2 and S3',
    "export { EncryptedBucket, r2Bucket, s3Bucket } from 'edge-kms/objects'",
    undefined,
  ],
  [
    'Lambda with AWS KMS',
    "export { EnvelopeCipher } from 'edge-kms'\nexport { awsCredentialsFromEnv, createAwsKms } from 'edge-kms/aws-kms'\nexport * from 'edge-kms/lambda'\nexport { createNodeNetwork } from 'edge-kms/node'",
    lambdaLimit,
  ],
  ['rotation', "export { KeyRotationManager } from 'edge-kms/rotation'", rotationLimit],
  ['gateway (with hono)', "export * from 'edge-kms/gateway'", undefined],
]

console.log('bundle                  min KiB  gzip KiB  limit')
for (const [name, code, limit] of rows) {
  const bundled = await bundle(code)
  const gzip = gzipOf(bundled.text)
  const limitText = limit === undefined ? '-' : kib(limit).trim()
  console.log(`${name.padEnd(22)} ${kib(bundled.text.length)}   ${kib(gzip)}  ${limitText}`)
  if (limit === undefined) continue
  if (gzip > limit) problems.push(`${name} is ${gzip} bytes with gzip, over ${limit}`)
  const isProvider = limit === awsLimit || limit === providerLimit
  if (isProvider)
    for (const word of unasked)
      if (bundled.text.includes(word)) problems.push(`${name} has ${word}`)
  // An environment may name any credentials of its vendor, but never another vendor.
  if (isProvider || limit === envLimit)
    for (const [what, words] of Object.entries(markers))
      for (const word of words)
        if (what !== ownMarker[name] && bundled.text.includes(word) && !isKnown(word, limit))
          problems.push(`${name} contains ${what} ("${word}")`)
  if (limit === coreLimit) problems.push(...bleedOf(bundled).map((text) => `${name} ${text}`))
}

// Controls: bundles that do bleed, each in its own way.
const controls = {
  'a provider': "export { createLocalKms } from 'edge-kms/local'",
  hono: "export { Hono } from 'hono'",
  'a module of Node': "export { readFileSync } from 'node:fs'",
  'a module of Node without the prefix': "export { readFileSync } from 'fs'",
}
for (const [what, code] of Object.entries(controls))
  if (bleedOf(await bundle(code)).length === 0) problems.push(`the check does not notice ${what}`)
// Each way by itself: markers without the list of files, and files without a marker.
const honoText = { ...(await bundle(controls.hono)), imports: [], files: [] }
if (bleedOf(honoText).length === 0) problems.push('no marker of hono is in hono')
const storeFiles = {
  ...(await bundle("export { MemoryDataKeyStore } from 'edge-kms/stores'")),
  text: '',
}
if (!bleedOf(storeFiles).some((text) => text.includes('contains src/stores/')))
  problems.push('the source maps do not lead to src/stores')

for (const problem of problems) console.log(problem)
process.exitCode = problems.length === 0 ? 0 : 1
