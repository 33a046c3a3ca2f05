// Each rule for one provider holds for all, and between any two of them.
import { describe, expect, it } from 'vitest'
import { concatBytes } from '../../../src/bytes/index.ts'
import {
  EncryptedEnvelope,
  EnvelopeCipher,
  type KeyManagementService,
  MultiKms,
  type WrappedKey,
} from '../../../src/index.ts'
import { createAwsKms } from '../../../src/providers/aws-kms/index.ts'
import {
  azureClientSecret,
  createAzureKeyVaultKms,
} from '../../../src/providers/azure-key-vault/index.ts'
import { createGcpKms } from '../../../src/providers/gcp-kms/index.ts'
import { createLocalKms } from '../../../src/providers/local/index.ts'
import { createVaultTransitKms, vaultToken } from '../../../src/providers/vault-transit/index.ts'
import {
  createFakeAws,
  createFakeAzure,
  createFakeGcp,
  createFakeVault,
} from '../../../adapters/fakes/index.ts'
import { encodeHead, encodeKeyHeader, parseMessage } from '../../../src/wire/index.ts'

const aws = createFakeAws()
const gcp = createFakeGcp()
const azure = createFakeAzure()
const vault = createFakeVault({ keys: [{ name: 'app' }] })
const awsKey = aws.createKey().arn
const gcpKey = gcp.createKey()
const rsaKey = azure.createKey()
const localKey = crypto.getRandomValues(new Uint8Array(32))

/** Each call is a process of its own over the same key. */
const providers: Readonly<Record<string, () => KeyManagementService>> = {
  local: () => createLocalKms({ versions: [{ version: 1, key: localKey }] }),
  'aws-kms': () => {
    const { credentials, network, region } = aws
    return createAwsKms({ credentials, network, region, keyId: awsKey })
  },
  'gcp-kms': () => {
    const { credentials, network } = gcp
    return createGcpKms({ credentials, network, keyName: gcpKey })
  },
  'azure-key-vault': () => {
    const { network } = azure
    const credentials = azureClientSecret({ ...azure.credentials, network })
    return createAzureKeyVaultKms({ credentials, network, keyId: rsaKey, timeoutMs: 60_000 })
  },
  'vault-transit': () => {
    const { endpoint, network, token } = vault
    return createVaultTransitKms({ endpoint, network, auth: vaultToken(token), key: 'app' })
  },
}
const names = Object.keys(providers)
const kmsOf = (name: string): KeyManagementService =>
  (providers[name] as () => KeyManagementService)()
const cold = (name: string): EnvelopeCipher => new EnvelopeCipher({ kms: kmsOf(name) })

const plaintext = new TextEncoder().encode('4111 1111')
const context = { tenant: 'acme', purpose: 'cards' }
const options = { context, aad: { row: '42' } }
const bodyBytes = 24 + plaintext.length + 16
const body = (envelope: Uint8Array): Uint8Array => envelope.subarray(-bodyBytes)

/** The envelope with other wraps. */
function withWraps(
  envelope: Uint8Array<ArrayBuffer>,
  change: (wrap: WrappedKey) => WrappedKey,
): Uint8Array<ArrayBuffer> {
  const policy = { acceptVersions: [1], acceptKinds: ['record' as const], maxWraps: 1 }
  const { header } = parseMessage(envelope, policy)
  if (header === undefined) throw new Error('an inline record has a header')
  const changed = encodeKeyHeader(header, header.wraps.map(change))
  return concatBytes(encodeHead('record', changed.bytes), body(envelope))
}

describe.each(names)('what was made under %s', (from) => {
  it.each(names)(
    'rewraps to %s with its body unchanged, and a cold process opens it',
    async (to) => {
      const envelope = await cold(from).encrypt(plaintext, options)
      const [source, target] = [kmsOf(from), kmsOf(to)]
      const kms = from === to ? source : new MultiKms({ read: [target, source], write: [target] })
      const moved = await new EnvelopeCipher({ kms }).rewrap(envelope, { context })
      expect(body(moved)).toEqual(body(envelope))
      const { wraps } = EncryptedEnvelope.parse(moved)
      expect(wraps.map(({ provider }) => provider)).toEqual([to])
      expect(await cold(to).decrypt(moved, options)).toEqual(plaintext)
      if (from === to) return
      const refused = { code: 'ERR_ENVELOPE_UNKNOWN_KEY' }
      await expect(cold(from).decrypt(moved, options)).rejects.toMatchObject(refused)
    },
  )

  it.each([
    ['a value', { tenant: 'evil', purpose: 'cards' }],
    ['two values', { tenant: 'cards', purpose: 'acme' }],
    ['a key', { tenants: 'acme', purpose: 'cards' }],
    ['one entry less', { tenant: 'acme' }],
    ['one entry more', { ...context, region: 'eu' }],
  ])('R11 does not open with another context: %s', async (_, other) => {
    const envelope = await cold(from).encrypt(plaintext, options)
    const refused = { code: 'ERR_DECRYPT_FAILED', message: 'decryption failed' }
    const reader = cold(from)
    const asked = { ...options, context: other }
    await expect(reader.decrypt(envelope, asked)).rejects.toMatchObject(refused)
    // If the header does not carry the context, the KMS or the commitment has to notice.
    const required = { kms: kmsOf(from), requiredContextKeys: ['tenant'] }
    const bound = await new EnvelopeCipher(required).encrypt(plaintext, options)
    const swapped = { ...options, context: { ...context, tenant: 'evil' } }
    const strict = new EnvelopeCipher({ ...required, kms: kmsOf(from) })
    await expect(strict.decrypt(bound, swapped)).rejects.toMatchObject(refused)
    expect(await strict.decrypt(bound, options)).toEqual(plaintext)
  })

  it('R1 does not open with a wrap that is damaged, or that of another data key', async () => {
    const [one, two] = [
      await cold(from).encrypt(plaintext, options),
      await cold(from).encrypt(plaintext, options),
    ]
    const [other] = EncryptedEnvelope.parse(two).wraps
    const refused = { code: 'ERR_DECRYPT_FAILED', message: 'decryption failed' }
    const swapped = withWraps(one, (wrap) => ({ ...wrap, wrapped: other?.wrapped ?? wrap.wrapped }))
    await expect(cold(from).decrypt(swapped, options)).rejects.toMatchObject(refused)
    const damaged = withWraps(one, (wrap) => {
      const wrapped = new Uint8Array(wrap.wrapped)
      const at = wrapped.length - 10
      wrapped[at] = (wrapped[at] as number) ^ 1
      return { ...wrap, wrapped }
    })
    await expect(cold(from).decrypt(damaged, options)).rejects.toMatchObject(refused)
    expect(
      await cold(from).decrypt(
        withWraps(one, (wrap) => wrap),
        options,
      ),
    ).toEqual(plaintext)
  })

  // Cloud KMS tells of a decrypt only whether it was under the primary, so that one has to be known.
  it('W3.25 does not open with a version that the key does not have', async () => {
    const envelope = await cold(from).encrypt(plaintext, options)
    const changed = withWraps(envelope, (wrap) => ({ ...wrap, kekVersion: otherVersion(wrap) }))
    const kms = kmsOf(from)
    if (kms.capabilities.revealsVersion) await kms.currentVersion({})
    const codes = ['ERR_DECRYPT_FAILED', 'ERR_ENVELOPE_UNKNOWN_KEY', 'ERR_KMS_KEY_NOT_FOUND']
    const outcome: unknown = await new EnvelopeCipher({ kms })
      .decrypt(changed, options)
      .catch((error: unknown) => error)
    expect(codes).toContain((outcome as { readonly code?: string }).code)
  })
})

/** One that the vendor could have given. */
function otherVersion({ kekVersion }: WrappedKey): string {
  return kekVersion.length === 32 ? 'f'.repeat(32) : '7'
}
