// R8 for every provider: what a stranger wrote costs no call, and what pretends to be ours one at most.
import { describe, expect, it } from 'vitest'
import { createGoogleCloudKms } from '../../../adapters/google-cloud-kms/index.ts'
import { concatBytes } from '../../../src/bytes/index.ts'
import {
  EnvelopeCipher,
  isKmsError,
  type KeyManagementService,
  type Network,
  type WrappedKey,
} from '../../../src/index.ts'
import { createAwsKms } from '../../../src/providers/aws-kms/index.ts'
import {
  azureClientSecret,
  createAzureKeyVaultKms,
} from '../../../src/providers/azure-key-vault/index.ts'
import { createGcpKms } from '../../../src/providers/gcp-kms/index.ts'
import { createVaultTransitKms, vaultToken } from '../../../src/providers/vault-transit/index.ts'
import {
  createFakeAws,
  createFakeAzure,
  createFakeGcp,
  createFakeVault,
} from '../../../adapters/fakes/index.ts'
import { encodeHead, encodeKeyHeader, parseMessage } from '../../../src/wire/index.ts'
import { rawHeader, rawMessage } from '../../vectors/raw-header.ts'
import { clientOver } from '../google-cloud-kms/fake-client.ts'

interface Subject {
  readonly kms: KeyManagementService
  /** Requests of any kind so far, those for tokens among them. */
  readonly sent: () => number
}

/** Counts what leaves, whatever it is. */
function counted(network: Network): { readonly network: Network; readonly sent: () => number } {
  let sent = 0
  const fetch: Network['fetch'] = (url, init) => {
    sent += 1
    return network.fetch(url, init)
  }
  return { network: { ...network, fetch }, sent: () => sent }
}

const subjects: Readonly<Record<string, () => Subject>> = {
  'aws-kms': () => {
    const fake = createFakeAws()
    const { network, sent } = counted(fake.network)
    const { credentials, region } = fake
    const keyId = fake.createKey().arn
    return { kms: createAwsKms({ credentials, network, region, keyId }), sent }
  },
  'gcp-kms': () => {
    const fake = createFakeGcp()
    const { network, sent } = counted(fake.network)
    const { credentials } = fake
    return { kms: createGcpKms({ credentials, network, keyName: fake.createKey() }), sent }
  },
  'gcp-kms by Google’s client': () => {
    const fake = createFakeGcp()
    const options = { client: clientOver(fake), keyName: fake.createKey() }
    return { kms: createGoogleCloudKms(options), sent: () => fake.count() }
  },
  'azure-key-vault': () => {
    const fake = createFakeAzure()
    const { network, sent } = counted(fake.network)
    const credentials = azureClientSecret({ ...fake.credentials, network })
    const keyId = fake.createKey()
    return {
      kms: createAzureKeyVaultKms({ credentials, network, keyId, timeoutMs: 60_000 }),
      sent,
    }
  },
  'vault-transit': () => {
    const { endpoint, network: inner, token } = createFakeVault({ keys: [{ name: 'app' }] })
    const { network, sent } = counted(inner)
    const auth = vaultToken(token)
    return { kms: createVaultTransitKms({ endpoint, network, auth, key: 'app' }), sent }
  },
}

const plaintext = new TextEncoder().encode('4111 1111')
const options = { context: { tenant: 'acme' }, aad: { row: '42' } }
const body = new Uint8Array(24 + plaintext.length + 16)

/** Returns the code that a writer would read from a cipher's error. */
async function codeOf(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => 'no error',
    (error: unknown) => (isKmsError(error) ? error.code : error),
  )
}

/** A KMS, a wrap of its own, and an envelope under it. */
async function written(name: string) {
  const { kms, sent } = (subjects[name] as () => Subject)()
  const cipher = new EnvelopeCipher({ kms })
  const envelope = await cipher.encrypt(plaintext, options)
  const policy = { acceptVersions: [1], acceptKinds: ['record' as const], maxWraps: 1 }
  const { header } = parseMessage(envelope, policy)
  const [wrap] = header?.wraps ?? []
  if (header === undefined || wrap === undefined) throw new Error('a record has a wrap')
  return { kms, sent, cipher, envelope, header, wrap }
}

/** One character of it is another: still in Vault's grammar. */
function junk(wrap: WrappedKey): WrappedKey {
  const wrapped = wrap.wrapped.slice()
  const at = wrapped.length - 20
  wrapped[at] = wrapped[at] === 65 ? 66 : 65
  return { ...wrap, wrapped }
}

describe.each(Object.keys(subjects))('R8 %s', (name) => {
  it('no call for an envelope of foreign keys, endpoints, providers, too many or too large wraps', async () => {
    const { kms, sent, wrap } = await written(name)
    const { provider, kekId } = wrap
    const from = (wraps: readonly Partial<WrappedKey>[]): Uint8Array =>
      rawMessage(1, rawHeader({ wraps: wraps.map((one) => ({ ...wrap, ...one })) }), body)
    const unknown = 'ERR_ENVELOPE_UNKNOWN_KEY'
    const limit = 'ERR_WIRE_LIMIT_EXCEEDED'
    const hostile: readonly (readonly [Uint8Array, string])[] = [
      [from([{ kekId: `${kekId}x` }]), unknown],
      [from([{ kekId: `https://attacker.example/${kekId}` }]), unknown],
      [from([{ kekId: `${kekId}/../../other` }]), unknown],
      [from([{ kekId: `${kekId}?x=y` }]), unknown],
      [
        from([
          { kekId: kekId.toUpperCase() === kekId ? kekId.toLowerCase() : kekId.toUpperCase() },
        ]),
        unknown,
      ],
      [from([{ provider: 'nobody' }]), unknown],
      [from([{ provider: `${provider}-x` }]), unknown],
      [from([{ kekId: 'http://169.254.169.254/latest' }]), unknown],
      [
        from(Array.from({ length: 255 }, (_, i) => ({ kekId: i === 0 ? kekId : `k${String(i)}` }))),
        limit,
      ],
      [
        from(
          Array.from({ length: 16 }, (_, i) => ({
            kekId: i === 0 ? kekId : `k${String(i)}`,
            wrapped: new Uint8Array(16_384),
          })),
        ),
        limit,
      ],
      [from([{ wrapped: new Uint8Array(16_385) }]), 'ERR_WIRE_MALFORMED'],
    ]
    const cipher = new EnvelopeCipher({ kms, maxWraps: 16 })
    const before = sent()
    for (const [envelope, code] of hostile) {
      expect(await codeOf(cipher.decrypt(envelope, options))).toBe(code)
      expect(await codeOf(cipher.rewrap(envelope, { context: options.context }))).toBe(code)
      const [one] = await cipher.decryptMany([{ envelope, ...options }])
      expect(one?.ok === false && one.error.code).toBe(code)
    }
    expect(sent()).toBe(before)
  })

  it('one call at most for a junk wrap of our own key, read again and again, and nothing is evicted', async () => {
    const { sent, cipher, envelope, header, wrap } = await written(name)
    const bad = concatBytes(
      encodeHead('record', encodeKeyHeader(header, [junk(wrap)]).bytes),
      envelope.subarray(-body.length),
    )
    cipher.clear()
    expect(await cipher.decrypt(envelope, options)).toEqual(plaintext)
    const reader = { ...options, context: { tenant: 'acme' } }
    // The commitment is held, so that the genuine key opens it; as another data key's it is not.
    const forged = concatBytes(
      rawMessage(1, rawHeader({ wraps: [junk(wrap)], commitment: new Uint8Array(32).fill(0x33) })),
      body,
    )
    const before = sent()
    expect(await cipher.decrypt(bad, reader)).toEqual(plaintext)
    for (let i = 0; i < 5; i++)
      expect(await codeOf(cipher.decrypt(forged, options))).toBe('ERR_DECRYPT_FAILED')
    expect(sent() - before).toBeLessThanOrEqual(1)
    const asked = sent()
    expect(await cipher.decrypt(envelope, options)).toEqual(plaintext)
    expect(sent()).toBe(asked)
  })
})
