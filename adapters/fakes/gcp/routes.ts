import type { FakeGcpService } from './calls.ts'
import type { KmsMethod } from './kms-call.ts'
import { decrypt, encrypt, generateRandomBytes } from './kms-data-methods.ts'
import {
  createCryptoKey,
  createCryptoKeyVersion,
  createKeyRing,
  destroyCryptoKeyVersion,
  getCryptoKey,
  getCryptoKeyVersion,
  getKeyRing,
  listCryptoKeys,
  listCryptoKeyVersions,
  restoreCryptoKeyVersion,
  updateCryptoKeyVersion,
  updatePrimaryVersion,
} from './kms-key-methods.ts'

/** The target of a request. */
export interface Route {
  readonly service: FakeGcpService
  readonly operation: string
  readonly name: string
  readonly run?: KmsMethod
}

const LOCATION = 'projects/[^/]+/locations/[^/:]+'
const RING = `${LOCATION}/keyRings/[\\w-]+`
const KEY = `${RING}/cryptoKeys/[\\w-]+`
const VERSION = `${KEY}/cryptoKeyVersions/\\d+`

/** Methods of the KMS: google/cloud/kms/v1/service.proto. The first group is the name. */
const METHODS: readonly (readonly [
  verb: string,
  pattern: string,
  operation: string,
  run: KmsMethod,
])[] = [
  ['POST', `(${KEY}|${VERSION}):encrypt`, 'Encrypt', encrypt],
  ['POST', `(${KEY}):decrypt`, 'Decrypt', decrypt],
  ['POST', `(${LOCATION}):generateRandomBytes`, 'GenerateRandomBytes', generateRandomBytes],
  ['POST', `(${LOCATION}/keyRings)`, 'CreateKeyRing', createKeyRing],
  ['GET', `(${RING})`, 'GetKeyRing', getKeyRing],
  ['POST', `(${RING}/cryptoKeys)`, 'CreateCryptoKey', createCryptoKey],
  ['GET', `(${RING}/cryptoKeys)`, 'ListCryptoKeys', listCryptoKeys],
  ['GET', `(${KEY})`, 'GetCryptoKey', getCryptoKey],
  ['POST', `(${KEY}):updatePrimaryVersion`, 'UpdateCryptoKeyPrimaryVersion', updatePrimaryVersion],
  ['POST', `(${KEY}/cryptoKeyVersions)`, 'CreateCryptoKeyVersion', createCryptoKeyVersion],
  ['GET', `(${KEY}/cryptoKeyVersions)`, 'ListCryptoKeyVersions', listCryptoKeyVersions],
  ['GET', `(${VERSION})`, 'GetCryptoKeyVersion', getCryptoKeyVersion],
  ['PATCH', `(${VERSION})`, 'UpdateCryptoKeyVersion', updateCryptoKeyVersion],
  ['POST', `(${VERSION}):destroy`, 'DestroyCryptoKeyVersion', destroyCryptoKeyVersion],
  ['POST', `(${VERSION}):restore`, 'RestoreCryptoKeyVersion', restoreCryptoKeyVersion],
]

const METADATA = /^\/computeMetadata\/v1\/instance\/service-accounts\/([^/]+)\/token$/
const IMPERSONATION = /^\/v1\/projects\/-\/serviceAccounts\/([^/:]+):generateAccessToken$/

/** Which service and method a request is for: by its path alone, so that one port serves all. */
export function route(method: string, url: URL): Route {
  const path = decodeURIComponent(url.pathname)
  const account = METADATA.exec(path)?.[1]
  if (account !== undefined && method === 'GET')
    return { service: 'metadata', operation: 'token', name: account }
  const target = IMPERSONATION.exec(path)?.[1]
  if (target !== undefined && method === 'POST')
    return { service: 'iam', operation: 'GenerateAccessToken', name: target }
  if (path === '/v1/token' && method === 'POST')
    return { service: 'sts', operation: 'ExchangeToken', name: '' }
  if (path === '/token' && method === 'POST')
    return { service: 'oauth', operation: 'JwtBearer', name: '' }
  for (const [verb, pattern, operation, run] of METHODS) {
    const name = verb === method ? new RegExp(`^/v1/${pattern}$`).exec(path)?.[1] : undefined
    if (name !== undefined) return { service: 'kms', operation, name, run }
  }
  return { service: 'kms', operation: '', name: '' }
}
