import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import {
  type KeyManagementService,
  KmsError,
  type KmsErrorCode,
  SecretBytes,
  type WrappedKey,
} from '../../../../src/index.ts'
import {
  createLocalKms,
  LocalKms,
  type LocalKeyVersion,
  type LocalKmsOptions,
} from '../../../../src/providers/local/index.ts'
import { FakeRuntime, sequence } from '../../wire/fixture.ts'

const CALL = { context: { 'edge-kms:dk': 'x', tenant: 'acme' } }
const version = (number: number, state: 'enabled' | 'retired' = 'enabled'): LocalKeyVersion => ({
  version: number,
  key: sequence(32, number),
  state,
})

function kmsOf(...versions: LocalKeyVersion[]): KeyManagementService {
  return createLocalKms({ versions })
}

async function codeOf(work: () => unknown): Promise<KmsErrorCode | undefined> {
  try {
    await work()
    return undefined
  } catch (error) {
    return (error as KmsError).code
  }
}

/** A DEK wrapped, and what its bytes are. */
async function wrapped(kms: KeyManagementService) {
  const { plaintext, wraps } = await kms.generateDataKey(CALL)
  return { dek: plaintext.expose().slice(), wraps }
}

async function opened(kms: KeyManagementService, wraps: readonly WrappedKey[]) {
  const { plaintext, by, current } = await kms.unwrapDataKey(wraps, CALL)
  return { dek: plaintext.expose().slice(), by, current }
}

describe('the versions of a local key', () => {
  it('may have gaps and any order; the highest wraps, all unwrap', async () => {
    const old = await wrapped(kmsOf(version(3)))
    const kms = kmsOf(version(3), version(12), version(7))
    const { dek, wraps } = await wrapped(kms)
    expect(wraps.map(({ kekVersion }) => kekVersion)).toEqual(['12'])
    expect(await kms.currentVersion({})).toEqual([
      { provider: 'local', kekId: 'app', kekVersion: '12' },
    ])
    expect(await opened(kms, wraps)).toEqual({ dek, by: wraps[0], current: true })
    expect(await opened(kms, old.wraps)).toEqual({ dek: old.dek, by: old.wraps[0], current: false })
  })

  it('unwrap while they are retired, and do not wrap', async () => {
    const { dek, wraps } = await wrapped(kmsOf(version(2)))
    const kms = kmsOf(version(1), version(2, 'retired'))
    expect((await opened(kms, wraps)).dek).toEqual(dek)
    const secret = SecretBytes.copy(dek)
    expect(await codeOf(() => kms.generateDataKey(CALL))).toBe('ERR_KMS_KEY_DISABLED')
    expect(await codeOf(() => kms.wrapDataKey(secret, CALL))).toBe('ERR_KMS_KEY_DISABLED')
    expect(await codeOf(() => kms.rewrapDataKey(wraps, CALL))).toBe('ERR_KMS_KEY_DISABLED')
    expect(await kms.healthCheck({})).toMatchObject({
      healthy: false,
      checks: [{ healthy: false, code: 'ERR_KMS_KEY_DISABLED' }],
    })
  })

  it('do not open what another version of the same name wrapped', async () => {
    const { wraps } = await wrapped(kmsOf(version(2)))
    const lost = kmsOf(version(1))
    expect(await codeOf(() => opened(lost, wraps))).toBe('ERR_KMS_KEY_NOT_FOUND')
    await expect(opened(lost, wraps)).rejects.toThrow(/version 2 .* not configured; configured: 1/)
    const renamed = wraps.map((wrap) => ({ ...wrap, kekVersion: '1' }))
    const both = kmsOf(version(1), version(2))
    expect(await codeOf(() => opened(both, renamed))).toBe('ERR_DECRYPT_FAILED')
    const zero = wraps.map((wrap) => ({ ...wrap, kekVersion: '02' }))
    expect(await codeOf(() => opened(both, zero))).toBe('ERR_DECRYPT_FAILED')
  })

  it('pass over a junk wrap and open the next', async () => {
    const kms = kmsOf(version(1), version(2))
    const { dek, wraps } = await wrapped(kms)
    const junk = { ...wraps[0]!, wrapped: sequence(60) }
    expect((await opened(kms, [junk, ...wraps])).dek).toEqual(dek)
    const foreign = { ...wraps[0]!, provider: 'aws-kms' }
    expect(await codeOf(() => opened(kms, [foreign]))).toBe('ERR_ENVELOPE_UNKNOWN_KEY')
  })

  const key = sequence(32, 1)
  it.each<[string, readonly LocalKeyVersion[]]>([
    ['no version', []],
    ['a version twice', [version(1), { version: 1, key: sequence(32, 9) }]],
    ['version 0', [{ version: 0, key }]],
    ['a negative version', [{ version: -1, key }]],
    ['half a version', [{ version: 1.5, key }]],
    ['a version too large to count', [{ version: 2 ** 53, key }]],
    ['a short key', [{ version: 1, key: sequence(31, 1) }]],
    ['a long key', [{ version: 1, key: sequence(33, 1) }]],
    ['no key', [{ version: 1, key: '' }]],
    ['a key of zeros', [{ version: 1, key: new Uint8Array(32) }]],
    ['a key of one byte repeated', [{ version: 1, key: new Uint8Array(32).fill(0xa5) }]],
    ['base64 of zeros', [{ version: 1, key: Buffer.alloc(32).toString('base64') }]],
    ['base64 without padding', [{ version: 1, key: base64().replace('=', '') }]],
    ['base64url', [{ version: 1, key: Buffer.alloc(32, 'ÿ>?').toString('base64url') + '=' }]],
    ['base64 of 16 bytes', [{ version: 1, key: Buffer.from(sequence(16)).toString('base64') }]],
    ['hex', [{ version: 1, key: Buffer.from(key).toString('hex') }]],
  ])('are refused: %s', async (_, versions) => {
    expect(await codeOf(() => createLocalKms({ versions }))).toBe('ERR_KMS_CONFIG')
  })

  it('are copied, and read from base64 with a line end', async () => {
    const bytes = sequence(32, 1)
    const kms = kmsOf({ version: 1, key: bytes })
    bytes.fill(0)
    const { wraps, dek } = await wrapped(kms)
    const text = kmsOf({ version: 1, key: `${base64()}\n` })
    expect((await opened(text, wraps)).dek).toEqual(dek)
  })
})

function base64(): string {
  return Buffer.from(sequence(32, 1)).toString('base64')
}

describe('what an instance may do', () => {
  const use = (usage: 'encrypt' | 'decrypt') => createLocalKms({ versions: [version(1)], usage })

  it('encrypt: wraps, and does not unwrap', async () => {
    const kms = use('encrypt')
    const { wraps } = await wrapped(kms)
    expect(await codeOf(() => opened(kms, wraps))).toBe('ERR_KMS_UNSUPPORTED')
    expect(await codeOf(() => kms.rewrapDataKey(wraps, CALL))).toBe('ERR_KMS_UNSUPPORTED')
    const [outcome] = await kms.unwrapMany([{ wraps, ...CALL }], {})
    expect(outcome).toMatchObject({ ok: false, error: { code: 'ERR_KMS_UNSUPPORTED' } })
    expect((await kms.healthCheck({})).healthy).toBe(true)
  })

  it('decrypt: unwraps, and does not wrap', async () => {
    const { dek, wraps } = await wrapped(kmsOf(version(1)))
    const kms = use('decrypt')
    expect((await opened(kms, wraps)).dek).toEqual(dek)
    expect(await codeOf(() => kms.generateDataKey(CALL))).toBe('ERR_KMS_UNSUPPORTED')
    const secret = SecretBytes.copy(dek)
    expect(await codeOf(() => kms.wrapDataKey(secret, CALL))).toBe('ERR_KMS_UNSUPPORTED')
    expect((await kms.healthCheck({})).healthy).toBe(true)
  })

  it('wraps a DEK of 32 bytes only, and leaves it alone', async () => {
    const kms = kmsOf(version(1))
    for (const length of [0, 31, 33]) {
      const wrap = kms.wrapDataKey(SecretBytes.copy(sequence(length)), CALL)
      await expect(wrap).rejects.toBeInstanceOf(TypeError)
    }
    const secret = SecretBytes.copy(sequence(32))
    await kms.wrapDataKey(secret, CALL)
    expect(secret.expose()).toEqual(sequence(32))
  })

  it.each(['', 'a b', 'é', 'a\n', 'x'.repeat(256)])('W3.33 refuses the kekId %j', async (kekId) => {
    const make = () => createLocalKms({ kekId, versions: [version(1)] })
    expect(await codeOf(make)).toBe('ERR_KMS_CONFIG')
  })
})

describe('rotation', () => {
  const make = (onRotate?: LocalKmsOptions['onRotate']) =>
    createLocalKms({
      versions: [version(4), version(9)],
      runtime: new FakeRuntime(),
      ...(onRotate && { onRotate }),
    })

  it('is not supported where nobody stores the new version', async () => {
    const kms = make()
    expect(kms.capabilities.rotates).toBe(false)
    expect(await codeOf(() => kms.rotateKey({}))).toBe('ERR_KMS_UNSUPPORTED')
  })

  it('makes the next version current once it is stored; old wraps still open', async () => {
    let stored: LocalKeyVersion | undefined
    let held: SecretBytes | undefined
    const kms = make(async ({ version: number, key }) => {
      held = key
      stored = { version: number, key: key.expose().slice() }
    })
    const old = await wrapped(kms)
    expect(await kms.rotateKey({})).toMatchObject([{ kekVersion: '10' }])
    const { dek, wraps } = await wrapped(kms)
    expect(wraps[0]?.kekVersion).toBe('10')
    expect((await opened(kms, old.wraps)).current).toBe(false)
    // The stored key is the one that wraps, and the copy that was handed out is wiped.
    expect((await opened(kmsOf(stored!), wraps)).dek).toEqual(dek)
    expect(() => held!.expose()).toThrow(TypeError)
  })

  it('leaves the old version current where the new one could not be stored', async () => {
    let held: SecretBytes | undefined
    const kms = make(({ key }) => {
      held = key
      return Promise.reject(new Error('the disk is full'))
    })
    await expect(kms.rotateKey({})).rejects.toMatchObject({
      code: 'ERR_KMS_UNAVAILABLE',
      message: expect.not.stringContaining('disk') as string,
    })
    expect((await kms.currentVersion({}))[0]?.kekVersion).toBe('9')
    expect((await wrapped(kms)).wraps[0]?.kekVersion).toBe('9')
    expect(() => held!.expose()).toThrow(TypeError)
  })

  it('is not begun after an abort', async () => {
    const reason = new Error('gone')
    let asked = 0
    const kms = make(async () => {
      asked += 1
    })
    const aborted = { signal: AbortSignal.abort(reason) }
    await expect(kms.rotateKey(aborted)).rejects.toBe(reason)
    await expect(kms.currentVersion(aborted)).rejects.toBe(reason)
    await expect(kms.generateDataKey({ ...CALL, ...aborted })).rejects.toBe(reason)
    expect(asked).toBe(0)
  })
})

describe('key bytes (R12)', () => {
  const canary = Buffer.from('CANARY-local-key-of-32-bytes-42!')
  const forms = [canary.toString('base64'), canary.toString('hex'), canary.toString(), '67, 65, 78']
  const secretFree = (value: unknown) => {
    const text = `${inspect(value, { depth: 9, showHidden: true })} ${JSON.stringify(value)}`
    return forms.filter((form) => text.includes(form))
  }

  it('are in no error', async () => {
    const base = canary.toString('base64')
    const bad = [
      [{ version: 1, key: `${base}AAAA` }],
      [{ version: 1, key: `!${base}` }],
      [{ version: 1, key: new Uint8Array(Buffer.concat([canary, canary])) }],
      [{ version: 0, key: base }],
      [
        { version: 1, key: base },
        { version: 1, key: base },
      ],
    ]
    for (const versions of bad) {
      const error = await Promise.resolve()
        .then(() => createLocalKms({ versions }))
        .catch((caught: unknown) => caught)
      expect(error).toBeInstanceOf(KmsError)
      expect(secretFree(error)).toEqual([])
    }
  })

  it('are in nothing that an instance prints', async () => {
    const kms = new LocalKms({ versions: [{ version: 1, key: canary.toString('base64') }] })
    expect(secretFree(kms)).toEqual([])
    await wrapped(kms)
    expect(secretFree(kms)).toEqual([])
    expect(secretFree(await kms.healthCheck({}))).toEqual([])
  })
})

describe('options of a local KMS', () => {
  it.each<[string, object]>([
    ['an unknown option', { kekid: 'app' }],
    ['a number for kekId', { kekId: 5 }],
    ['null for kekId', { kekId: null }],
    ['a usage that does not exist', { usage: 'read' }],
    ['null for usage', { usage: null }],
    ['an onRotate that is not a function', { onRotate: 'store' }],
    ['null for onRotate', { onRotate: null }],
    ['no versions', { versions: undefined }],
    ['versions as an object', { versions: { 1: 'key' } }],
  ])('are refused at once: %s', async (_, options) => {
    const given = { versions: [version(1)], ...options } as LocalKmsOptions
    expect(await codeOf(() => createLocalKms(given))).toBe('ERR_KMS_CONFIG')
  })

  it('may be given as undefined', () => {
    const nothing = { kekId: undefined, usage: undefined, onRotate: undefined, other: undefined }
    const given = { versions: [version(1)], ...nothing } as unknown as LocalKmsOptions
    expect(createLocalKms(given).capabilities).toMatchObject({ usage: 'both', rotates: false })
  })
})
