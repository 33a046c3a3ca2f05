import { type Bytes, encodeBase64 } from '../../../src/bytes/index.ts'
import type { JsonObject } from '../../../src/http/index.ts'
import { Refusal } from './errors.ts'
import { answeredId, type KmsCall, type KmsOperation, unlessDryRun } from './kms-service.ts'
import { authorize, permittedKey } from './permissions.ts'
import { randomBytes } from './primitives.ts'
import { encryptingKey, openWith, sealUnder, SYMMETRIC } from './under-key.ts'

const KEY_ID = { min: 1, max: 2_048 }
const ALGORITHMS = { values: [SYMMETRIC, 'RSAES_OAEP_SHA_1', 'RSAES_OAEP_SHA_256', 'SM2PKE'] }

/** @see https://docs.aws.amazon.com/kms/latest/APIReference/API_Encrypt.html */
export const encrypt: KmsOperation = async (call) => {
  const { input, record } = call
  const keyId = (record.keyId = input.text('KeyId', KEY_ID))
  const plaintext = input.bytes('Plaintext', { max: 4_096 })
  const context = (record.context = input.context('EncryptionContext'))
  const algorithm = input.optionalText('EncryptionAlgorithm', ALGORITHMS)
  const key = encryptingKey(call, permittedKey(call, keyId), algorithm)
  const { blob } = await sealUnder(call, key, plaintext, context)
  return unlessDryRun(call, {
    CiphertextBlob: encodeBase64(blob),
    EncryptionAlgorithm: SYMMETRIC,
    KeyId: answeredId(call, key, keyId),
  })
}

/** @see https://docs.aws.amazon.com/kms/latest/APIReference/API_GenerateDataKey.html */
export const generateDataKey: KmsOperation = async (call) => {
  const { plaintext, ...answer } = await dataKey(call)
  return unlessDryRun(call, { ...answer, Plaintext: encodeBase64(plaintext) })
}

/** @see https://docs.aws.amazon.com/kms/latest/APIReference/API_GenerateDataKeyWithoutPlaintext.html */
export const generateDataKeyWithoutPlaintext: KmsOperation = async (call) => {
  const { plaintext: _dropped, ...answer } = await dataKey(call)
  return unlessDryRun(call, answer)
}

/** @see https://docs.aws.amazon.com/kms/latest/APIReference/API_GenerateRandom.html */
export const generateRandom: KmsOperation = (call) => {
  const { input } = call
  const length = input.integer('NumberOfBytes', { min: 1, max: 1_024 })
  authorize(call, undefined, 'GenerateRandom')
  if (input.optionalText('CustomKeyStoreId', { min: 1, max: 64 }) !== undefined) {
    throw new Refusal('customKeyStoreNotFound')
  }
  if (input.structure('Recipient') !== undefined) {
    throw new Refusal('unsupported', 'The fake has no enclaves.')
  }
  return { Plaintext: encodeBase64(randomBytes(length)) }
}

/** @see https://docs.aws.amazon.com/kms/latest/APIReference/API_Decrypt.html */
export const decrypt: KmsOperation = async (call) => {
  const { input, record, service } = call
  const keyId = input.optionalText('KeyId', KEY_ID)
  if (keyId !== undefined) record.keyId = keyId
  const context = (record.context = input.context('EncryptionContext'))
  const algorithm = input.optionalText('EncryptionAlgorithm', ALGORITHMS)
  const blobBytes = ciphertext(call, keyId)
  const ignoresKeyId = service.defects.has('ignores-decrypt-key-id')
  const pinned = keyId === undefined ? undefined : permittedKey(call, keyId)
  if (blobBytes === undefined) return unlessDryRun(call, {})
  const opened = await openWith(call, blobBytes, {
    pinned,
    ignoresKeyId,
    action: 'Decrypt',
    context,
    algorithm,
  })
  return unlessDryRun(call, {
    EncryptionAlgorithm: SYMMETRIC,
    KeyId: answeredId(call, opened.key, keyId),
    KeyMaterialId: opened.material.id,
    Plaintext: encodeBase64(opened.plaintext),
  })
}

/** @see https://docs.aws.amazon.com/kms/latest/APIReference/API_ReEncrypt.html */
export const reEncrypt: KmsOperation = async (call) => {
  const { input, record, service } = call
  const keyId = (record.keyId = input.text('DestinationKeyId', KEY_ID))
  const sourceKeyId = input.optionalText('SourceKeyId', KEY_ID)
  if (sourceKeyId !== undefined) record.sourceKeyId = sourceKeyId
  const context = (record.sourceContext = input.context('SourceEncryptionContext'))
  const nextContext = (record.context = input.context('DestinationEncryptionContext'))
  const algorithm = input.optionalText('SourceEncryptionAlgorithm', ALGORITHMS)
  const nextAlgorithm = input.optionalText('DestinationEncryptionAlgorithm', ALGORITHMS)
  const blobBytes = ciphertext(call, sourceKeyId)
  const action = 'ReEncryptFrom'
  const ignoresKeyId = service.defects.has('ignores-source-key-id')
  const pinned = sourceKeyId === undefined ? undefined : permittedKey(call, sourceKeyId, action)
  const next = encryptingKey(call, permittedKey(call, keyId, 'ReEncryptTo'), nextAlgorithm)
  if (blobBytes === undefined) return unlessDryRun(call, {})
  const opened = await openWith(call, blobBytes, {
    pinned,
    ignoresKeyId,
    action,
    context,
    algorithm,
  })
  const { blob, material } = await sealUnder(call, next, opened.plaintext, nextContext)
  return unlessDryRun(call, {
    CiphertextBlob: encodeBase64(blob),
    KeyId: answeredId(call, next, keyId),
    DestinationEncryptionAlgorithm: SYMMETRIC,
    DestinationKeyMaterialId: material.id,
    SourceKeyId: answeredId(call, opened.key, sourceKeyId),
    SourceEncryptionAlgorithm: SYMMETRIC,
    SourceKeyMaterialId: opened.material.id,
  })
}

async function dataKey(call: KmsCall): Promise<JsonObject & { readonly plaintext: Bytes }> {
  const { input, record } = call
  const keyId = (record.keyId = input.text('KeyId', KEY_ID))
  const spec = input.optionalText('KeySpec', { values: ['AES_256', 'AES_128'] })
  const numberOfBytes = input.optionalInteger('NumberOfBytes', { min: 1, max: 1_024 })
  const context = (record.context = input.context('EncryptionContext'))
  if ((spec === undefined) === (numberOfBytes === undefined)) {
    throw new Refusal('validation', 'Please specify either number of bytes or key spec.')
  }
  const key = encryptingKey(call, permittedKey(call, keyId), undefined)
  const plaintext = randomBytes(numberOfBytes ?? (spec === 'AES_128' ? 16 : 32))
  const { blob, material } = await sealUnder(call, key, plaintext, context)
  return {
    plaintext,
    CiphertextBlob: encodeBase64(blob),
    KeyId: answeredId(call, key, keyId),
    KeyMaterialId: material.id,
  }
}

/** Only a dry run that says so may come without a ciphertext; it must then name the key. */
function ciphertext({ input }: KmsCall, keyId: string | undefined): Bytes | undefined {
  const modifiers = input.texts('DryRunModifiers', { maxItems: 1, values: ['IGNORE_CIPHERTEXT'] })
  if (modifiers.length === 0) return input.bytes('CiphertextBlob', { max: 6_144 })
  if (input.flag('DryRun') && keyId !== undefined) return undefined
  throw new Refusal('validation', 'DryRunModifiers needs DryRun and a key.')
}
