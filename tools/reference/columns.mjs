/** Sizes of records, from the code that writes them. */
import { encodeHead, encodeKeyHeader, encodeTextForm, LIMITS } from '../../src/wire/index.ts'
import { grouped, table } from './table.mjs'

/** @typedef {{ provider: string, kekId: string, kekVersion: string, wrapped: Uint8Array<ArrayBuffer> }} Wrap */

/** @returns {Wrap} */
const wrap = (provider, kekId, kekVersion, bytes) => ({
  provider,
  kekId,
  kekVersion,
  wrapped: new Uint8Array(bytes).fill(1),
})

const aws = wrap('aws-kms', `arn:aws:kms:eu-central-1:111122223333:key/${'0'.repeat(36)}`, '', 184)
const gcp = wrap(
  'gcp-kms',
  'projects/acme/locations/europe-west3/keyRings/app/cryptoKeys/app',
  '1',
  113,
)
const azure = (bytes) =>
  wrap('azure-key-vault', 'https://acme.vault.azure.net/keys/app', '0'.repeat(32), bytes)

/**
 * Wraps as they usually are. The length of GCP's is that of published samples.
 *
 * @type {Record<string, Wrap[]>}
 */
export const TYPICAL = {
  local: [wrap('local', 'app', '1', 72)],
  'Azure Managed HSM, A256KW': [azure(40)],
  'Vault and OpenBao transit': [wrap('vault-transit', 'transit/app', '1', 89)],
  'GCP Cloud KMS': [gcp],
  'AWS KMS': [aws],
  'Azure Key Vault, RSA 2048': [azure(256)],
  'Azure Key Vault, RSA 3072': [azure(384)],
  'Azure Key Vault, RSA 4096': [azure(512)],
  'AWS KMS in two Regions': [
    aws,
    { ...aws, kekId: aws.kekId.replace('eu-central-1', 'eu-west-1') },
  ],
  'AWS KMS and GCP Cloud KMS': [aws, gcp],
}

const SAMPLES = [16, 64, 256, 1_024, 4_096]
const STORED = { tenant: 'acme' }

/** Returns the length of an inline record, written by the code. */
export function inlineBytes(plaintextBytes, wraps, stored = STORED) {
  const fields = {
    salt: new Uint8Array(LIMITS.saltBytes),
    commitment: new Uint8Array(LIMITS.commitmentBytes),
    createdAtMs: 1_800_000_000_000,
    stored,
  }
  const head = encodeHead('record', encodeKeyHeader(fields, wraps).bytes)
  return head.length + LIMITS.nonceBytes + plaintextBytes + LIMITS.tagBytes
}

/** Returns the length of a record by reference. */
export function referenceBytes(plaintextBytes) {
  const head = encodeHead('record-by-reference', new Uint8Array(LIMITS.commitmentBytes))
  return head.length + LIMITS.nonceBytes + plaintextBytes + LIMITS.tagBytes
}

/** Returns the number of characters of `ek1.` text with so many bytes. */
export const textLength = (bytes) => encodeTextForm(new Uint8Array(bytes)).length

const cells = (sizeOf, unitOf) => SAMPLES.map((n) => grouped(unitOf(sizeOf(n))))

/** @returns {Record<string, string>} */
export function columnTables() {
  /** @type {[string, (n: number) => number][]} */
  const kinds = [
    ['by reference, any KMS', referenceBytes],
    ...Object.entries(TYPICAL).map(([name, wraps]) => {
      /** @type {[string, (n: number) => number]} */
      const kind = [name, (n) => inlineBytes(n, wraps)]
      return kind
    }),
  ]
  const heads = SAMPLES.map((n) => `n = ${grouped(n)}`)
  return {
    bytes: table(
      ['Record', 'Over the plaintext', ...heads],
      kinds.map(([name, size]) => [name, grouped(size(0)), ...cells(size, (bytes) => bytes)]),
    ),
    text: table(
      ['Record', ...heads],
      kinds.map(([name, size]) => [name, ...cells(size, textLength)]),
    ),
  }
}
