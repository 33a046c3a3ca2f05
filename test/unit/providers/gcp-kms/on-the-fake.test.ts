import { describe, expect, it } from 'vitest'
import { EncryptedEnvelope, EnvelopeCipher, MultiKms } from '../../../../src/index.ts'
import { decodeBase64 } from '../../../../src/bytes/index.ts'
import type { KmsErrorCode } from '../../../../src/errors.ts'
import { encodeKmsContext, type KeyManagementService } from '../../../../src/kms/index.ts'
import { createAwsKms } from '../../../../src/providers/aws-kms/index.ts'
import { createGcpKms, type GcpKmsOptions } from '../../../../src/providers/gcp-kms/index.ts'
import { createLocalKms } from '../../../../src/providers/local/index.ts'
import {
  createFakeAws,
  createFakeGcp,
  type FakeGcpFault,
} from '../../../../adapters/fakes/index.ts'
import { codeOf } from '../../credentials/aws/ports.ts'

const context = { 'edge-kms:dk': 'salt.1', tenant: 'acme' }
const message = { context: { tenant: 'acme' }, aad: { row: '42' } }
const plaintext = new TextEncoder().encode('4111 1111')

function setUp(options: Partial<GcpKmsOptions> = {}) {
  const fake = createFakeGcp()
  const keyName = fake.createKey()
  const { credentials, network } = fake
  const kms = createGcpKms({ keyName, credentials, network, ...options })
  return { fake, kms, keyName }
}

describe('GCP KMS: calls', () => {
  it('costs one Encrypt for many records, and one Decrypt for a cold reader', async () => {
    const { fake, kms } = setUp()
    const cipher = new EnvelopeCipher({ kms })
    const items = Array.from({ length: 100 }, () => ({ plaintext, ...message }))
    const [first] = await cipher.encryptMany(items)
    if (first?.ok !== true) throw new Error('no envelope')
    expect(await new EnvelopeCipher({ kms }).decrypt(first.value, message)).toEqual(plaintext)
    expect(fake.calls.map(({ operation }) => operation)).toEqual(['Encrypt', 'Decrypt'])
  })

  it('W3.21 names the key without a version, and the version beside it', async () => {
    const { kms, keyName } = setUp()
    const envelope = await new EnvelopeCipher({ kms }).encrypt(plaintext, message)
    const [wrap] = EncryptedEnvelope.parse(envelope).wraps
    expect([wrap?.kekId, wrap?.kekVersion]).toEqual([keyName, '1'])
  })

  it('binds the canonical bytes of the whole context', async () => {
    const { fake, kms } = setUp()
    await kms.generateDataKey({ context })
    expect(decodeBase64(fake.calls[0]?.aad ?? '')).toEqual(encodeKmsContext(context))
  })

  it('a context of the greatest size fits an HSM key', async () => {
    const fake = createFakeGcp()
    const { credentials, network } = fake
    const keyName = fake.createKey({ protectionLevel: 'HSM' })
    const cipher = new EnvelopeCipher({ kms: createGcpKms({ keyName, credentials, network }) })
    const large = { context: { tenant: 'x'.repeat(4_084) } }
    const envelope = await cipher.encrypt(plaintext, large)
    expect(await cipher.decrypt(envelope, large)).toEqual(plaintext)
  })

  it('waits for the new version of an HSM key', async () => {
    const fake = createFakeGcp()
    const { credentials, network } = fake
    const keyName = fake.createKey({ generationMs: 700 })
    fake.clock.advance(1_000)
    // Each pause takes the server's time, and none of ours.
    const after: GcpKmsOptions['network'] = {
      ...network,
      after(delayMs, callback) {
        if (delayMs !== 500) return network.after(delayMs, callback)
        fake.clock.advance(delayMs)
        queueMicrotask(callback)
        return () => undefined
      },
    }
    const kms = createGcpKms({ keyName, credentials, network: after })
    expect((await kms.rotateKey({}))[0]?.kekVersion).toBe('2')
    expect(fake.calls.map(({ operation }) => operation)).toEqual([
      'CreateCryptoKeyVersion',
      'GetCryptoKeyVersion',
      'GetCryptoKeyVersion',
      'UpdateCryptoKeyPrimaryVersion',
    ])
  })

  it('moves an envelope between local, AWS and GCP, the body unchanged; cold readers open it', async () => {
    const { kms: gcp } = setUp()
    const fakeAws = createFakeAws()
    const { credentials, network } = fakeAws
    const aws = createAwsKms({ keyId: fakeAws.createKey().arn, credentials, network })
    const key = crypto.getRandomValues(new Uint8Array(32))
    const local = createLocalKms({ versions: [{ version: 1, key }] })
    const body = (bytes: Uint8Array): Uint8Array => bytes.slice(-plaintext.length - 28)
    const move = (to: KeyManagementService, from: KeyManagementService, envelope: Uint8Array) =>
      new EnvelopeCipher({ kms: new MultiKms({ read: [to, from], write: [to] }) }).rewrap(
        envelope,
        { context: message.context },
      )
    let envelope = await new EnvelopeCipher({ kms: local }).encrypt(plaintext, message)
    const first = body(envelope)
    let from: KeyManagementService = local
    for (const to of [gcp, aws, gcp, local]) {
      envelope = await move(to, from, envelope)
      expect(body(envelope)).toEqual(first)
      expect(await new EnvelopeCipher({ kms: to }).decrypt(envelope, message)).toEqual(plaintext)
      expect(await codeOf(new EnvelopeCipher({ kms: from }).decrypt(envelope, message))).toBe(
        'ERR_ENVELOPE_UNKNOWN_KEY',
      )
      from = to
    }
  })
})

describe('R9 R10 GCP KMS: answers that must not be believed', () => {
  const faults: readonly (readonly [FakeGcpFault, KmsErrorCode])[] = [
    [{ kind: 'damaged' }, 'ERR_KMS_RESPONSE_INVALID'],
    [{ kind: 'wrong-checksum' }, 'ERR_KMS_RESPONSE_INVALID'],
    [{ kind: 'not-json' }, 'ERR_KMS_RESPONSE_INVALID'],
    [{ kind: 'oversized' }, 'ERR_KMS_RESPONSE_INVALID'],
    [{ kind: 'redirect' }, 'ERR_KMS_RESPONSE_INVALID'],
    [{ kind: 'hang' }, 'ERR_KMS_TIMEOUT'],
    [{ kind: 'slow', delayMs: 60_000 }, 'ERR_KMS_TIMEOUT'],
    [{ kind: 'reset' }, 'ERR_KMS_UNAVAILABLE'],
    [{ kind: 'truncated' }, 'ERR_KMS_UNAVAILABLE'],
    [{ kind: 'internal' }, 'ERR_KMS_UNAVAILABLE'],
    [{ kind: 'unavailable' }, 'ERR_KMS_UNAVAILABLE'],
    [{ kind: 'throttle' }, 'ERR_KMS_THROTTLED'],
    [{ kind: 'unauthenticated' }, 'ERR_KMS_UNAUTHENTICATED'],
  ]
  it.each(faults)('%o is a typed error', async (fault, code) => {
    // Only what hangs may meet its deadline: a machine under load is slow, not wrong.
    const { fake, kms } = setUp({ timeoutMs: code === 'ERR_KMS_TIMEOUT' ? 500 : 60_000 })
    const { wraps } = await kms.generateDataKey({ context })
    fake.faults.push({ ...fault, times: 2 })
    expect(await codeOf(kms.generateDataKey({ context }))).toBe(code)
    expect(await codeOf(kms.unwrapDataKey(wraps, { context }))).toBe(code)
    expect(fake.faults.pending).toEqual([])
  })

  it.each<FakeGcpFault>([{ kind: 'wrong-key' }, { kind: 'unverified' }])(
    '%o of Encrypt is refused',
    async (fault) => {
      const { fake, kms } = setUp()
      fake.faults.push(fault)
      expect(await codeOf(kms.generateDataKey({ context }))).toBe('ERR_KMS_RESPONSE_INVALID')
    },
  )

  it('bytes that are damaged on their way to Google are not encrypted, and may be sent again', async () => {
    const fake = createFakeGcp()
    const { credentials, network } = fake
    const damaging: GcpKmsOptions['network'] = {
      ...network,
      fetch: (url, init) => {
        const sent = JSON.parse(init.body as string) as Record<string, string>
        const first = sent['plaintext']?.startsWith('A') === true ? 'B' : 'A'
        const plaintext = first + (sent['plaintext'] ?? '').slice(1)
        return network.fetch(url, { ...init, body: JSON.stringify({ ...sent, plaintext }) })
      },
    }
    const keyName = fake.createKey()
    const kms = createGcpKms({ keyName, credentials, network: damaging })
    const error: unknown = await kms.generateDataKey({ context }).catch((one: unknown) => one)
    expect(error).toMatchObject({ code: 'ERR_KMS_UNAVAILABLE', retryable: true })
  })
})

describe('GCP KMS: states of a version', () => {
  it.each([
    [':destroy', 'POST', {}],
    ['?updateMask=state', 'PATCH', { state: 'DISABLED' }],
  ])('%s: ERR_KMS_KEY_DISABLED, and the health check says so', async (end, method, body) => {
    const { fake, kms, keyName } = setUp()
    const { wraps } = await kms.generateDataKey({ context })
    const { network, credentials } = fake
    await network.fetch(`https://cloudkms.googleapis.com/v1/${keyName}/cryptoKeyVersions/1${end}`, {
      method,
      body: JSON.stringify(body),
      headers: { authorization: `Bearer ${credentials.token}` },
    })
    expect(await codeOf(kms.generateDataKey({ context }))).toBe('ERR_KMS_KEY_DISABLED')
    expect(await codeOf(kms.unwrapDataKey(wraps, { context }))).toBe('ERR_KMS_KEY_DISABLED')
    expect((await kms.healthCheck({})).checks[0]?.code).toBe('ERR_KMS_KEY_DISABLED')
  })

  it('a key that does not exist, and one of another purpose', async () => {
    const { fake, keyName } = setUp()
    const { credentials, network } = fake
    const code = (name: string) =>
      codeOf(createGcpKms({ keyName: name, credentials, network }).generateDataKey({ context }))
    expect(await code(`${keyName}-none`)).toBe('ERR_KMS_KEY_NOT_FOUND')
    expect(await code(fake.createKey({ purpose: 'MAC' }))).toBe('ERR_KMS_KEY_DISABLED')
  })
})
