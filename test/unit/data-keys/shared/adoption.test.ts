import { describe, expect, it } from 'vitest'
import type { CachedKms, EncryptionContext, KeyHeader } from '../../../../src/index.ts'
import { KmsError, SecretBytes } from '../../../../src/index.ts'
import { canonicalContext, kmsContext } from '../../../../src/kms/index.ts'
import {
  decodeSlot,
  encodeSlot,
  headerOf,
  pointTo,
  type Slot,
} from '../../../../src/data-keys/shared/slot.ts'
import { StoreAuth } from '../../../../src/data-keys/shared/store-auth.ts'
import { deriveKeys } from '../../../../src/data-keys/derive-keys.ts'
import { encodeKeyHeader } from '../../../../src/wire/index.ts'
import golden from '../../../vectors/golden.json' with { type: 'json' }
import { fromHex, toHex } from '../../../vectors/hex.ts'
import { CONTEXT, sequence } from '../../wire/fixture.ts'
import { BindingKms, Cluster, HOUR, PARTITION, STORE_KEY, UnboundKms } from './fixture.ts'

const auth = new StoreAuth(PARTITION, STORE_KEY)
const OTHER: EncryptionContext = { tenant: 'other' }
const TRUSTED = { sharing: { trustedStore: true } }

/** The slot that a first isolate wrote. */
async function written(cluster: Cluster): Promise<Slot & { readonly name: string }> {
  await cluster.key(cluster.isolate())
  const { name, bytes } = cluster.slot
  const slot = await decodeSlot(auth, name, bytes)
  if (slot?.active === undefined) throw new Error('no active key')
  cluster.kms.calls.length = 0
  return { ...slot, name }
}

/** A data key as an attacker has it: they know the DEK, and had it wrapped. */
async function planted(
  kms: BindingKms,
  context = CONTEXT,
  createdAtMs?: number,
): Promise<KeyHeader> {
  const fields = {
    salt: sequence(32, 90),
    createdAtMs: createdAtMs ?? 1_767_225_600_000,
    stored: context,
  }
  const dek = sequence(32, 50)
  const k = kmsContext(context, fields.salt, fields.createdAtMs)
  const wraps = kms.wraps(SecretBytes.copy(dek), k)
  const keys = await deriveKeys(SecretBytes.copy(dek), fields, canonicalContext(context))
  if (keys === undefined) throw new Error('not a DEK')
  return encodeKeyHeader({ ...fields, commitment: keys.commitment }, wraps)
}

/** A cold isolate refuses the value in the store, asks the KMS for its own key, and replaces the value. */
async function expectRefused(cluster: Cluster, cache: CachedKms, unwraps: number): Promise<void> {
  await cluster.key(cache)
  expect(cache.stats()).toMatchObject({ adoptions: 0, adoptionsRefused: 1, leases: 1 })
  expect(cluster.kms.calls).toEqual([
    ...Array.from({ length: unwraps }, () => 'unwrap'),
    'generate',
  ])
}

describe('the pointer', () => {
  it('W5.9 is that of the golden value', async () => {
    const { activePointer } = golden
    const { storeAuthKey, partition, notAfter, value } = activePointer
    const header = { commitment: fromHex(value.slice(0, 64)), bytes: new Uint8Array() }
    const goldenAuth = new StoreAuth(partition, fromHex(storeAuthKey))
    const { commitment, mac } = await pointTo(goldenAuth, header as unknown as KeyHeader, notAfter)
    const time = notAfter.toString(16).padStart(16, '0')
    expect(toHex(commitment) + time + toHex(mac)).toBe(value)
  })

  it('W5.9 of another key is refused, in a value that is else authentic', async () => {
    const cluster = new Cluster()
    const { name, epoch } = await written(cluster)
    const forger = new StoreAuth(PARTITION, sequence(32, 9))
    const header = await planted(cluster.kms)
    const active = await pointTo(forger, header, header.createdAtMs + HOUR)
    cluster.plant(name, await encodeSlot(auth, name, { epoch, active }))
    await expectRefused(cluster, cluster.isolate(), 0)
  })

  it('W5.9 of another partition is refused', async () => {
    const cluster = new Cluster()
    const { name, epoch } = await written(cluster)
    const header = await planted(cluster.kms)
    const active = await pointTo(
      new StoreAuth('another', STORE_KEY),
      header,
      header.createdAtMs + HOUR,
    )
    cluster.plant(name, await encodeSlot(auth, name, { epoch, active }))
    await expectRefused(cluster, cluster.isolate(), 0)
  })

  it('W5.9 is needed: what an attacker wrote without the key costs no KMS call', async () => {
    for (const kms of [new BindingKms(), new UnboundKms()]) {
      const cluster = new Cluster(kms)
      const { name, epoch } = await written(cluster)
      const header = await planted(kms)
      for (const forger of [
        new StoreAuth(PARTITION, sequence(32, 9)),
        new StoreAuth(PARTITION, undefined),
      ]) {
        kms.calls.length = 0
        const active = await pointTo(forger, header, header.createdAtMs + HOUR)
        cluster.plant(name, await encodeSlot(forger, name, { epoch, active }))
        await expectRefused(cluster, cluster.isolate(), 0)
      }
    }
  })

  it('W5.10 past its notAfter is refused, though the reader would still write under the key', async () => {
    const cluster = new Cluster()
    await cluster.key(cluster.isolate({ encryptForMs: HOUR / 2 }))
    const { name, bytes } = cluster.slot
    await cluster.world.advance(HOUR / 2)
    cluster.plant(name, bytes) // the store would have let it go
    cluster.kms.calls.length = 0
    const late = cluster.isolate({ encryptForMs: HOUR })
    const key = await cluster.key(late)
    expect(key.header.createdAtMs).toBeGreaterThan(cluster.world.nowMs - 100)
    expect(late.stats()).toMatchObject({ adoptions: 0, adoptionsRefused: 1 })
    expect(cluster.kms.calls).toEqual(['generate'])
  })

  it('W5.10 that is replayed when a newer one stood there is refused past its time', async () => {
    const cluster = new Cluster()
    const old = await written(cluster)
    const { bytes } = cluster.slot
    await cluster.world.advance(HOUR)
    await cluster.key(cluster.isolate())
    cluster.plant(old.name, bytes)
    cluster.kms.calls.length = 0
    await expectRefused(cluster, cluster.isolate(), 0)
  })
})

describe('the value around it', () => {
  it('is refused with any bit changed, without a KMS call', async () => {
    const cluster = new Cluster()
    const { name } = await written(cluster)
    const { bytes } = cluster.slot
    for (let at = 0; at < bytes.length; at += 1) {
      const changed = bytes.slice()
      changed[at] = (changed[at] as number) ^ (1 << (at % 8))
      expect(await decodeSlot(auth, name, changed), `byte ${String(at)}`).toBeUndefined()
    }
    for (let end = 0; end < bytes.length; end += 1) {
      expect(await decodeSlot(auth, name, bytes.slice(0, end))).toBeUndefined()
    }
    const lease = { holder: sequence(16), untilMs: 7 }
    const active = {
      commitment: sequence(32),
      notAfterMs: 7,
      mac: new Uint8Array(),
      record: sequence(9),
    }
    const trusting = new StoreAuth(PARTITION, undefined)
    for (const slot of [{ lease }, { active }, { lease, active }]) {
      const whole = await encodeSlot(trusting, name, { epoch: sequence(16), ...slot })
      expect(await decodeSlot(trusting, name, whole)).toMatchObject(slot)
      const least = whole.length - (slot.active === undefined ? 0 : 8)
      for (let end = 0; end < least; end += 1) {
        expect(await decodeSlot(trusting, name, whole.slice(0, end))).toBeUndefined()
      }
      for (const [at, value] of [
        [0, 0],
        [0, 2],
        [1, 4 | (whole[1] as number)],
      ] as const) {
        const other = whole.slice()
        other[at] = value
        expect(await decodeSlot(trusting, name, other)).toBeUndefined()
      }
    }
    cluster.plant(name, bytes.slice(0, -1))
    await expectRefused(cluster, cluster.isolate(), 0)
  })

  it.each([1, 17, 18, 19, 58, 90, 91, 200])(
    'is refused where %i bytes of no meaning stand',
    async (length) => {
      for (const given of [auth, new StoreAuth(PARTITION, undefined)]) {
        for (const first of [0, 1]) {
          for (let flags = 0; flags < 5; flags += 1) {
            const junk = sequence(length, 3)
            junk.set([first, flags].slice(0, length))
            const slot = await decodeSlot(given, 'name', junk)
            const header = slot?.active && headerOf(slot.active, 16)
            expect(header).toBeUndefined()
          }
        }
      }
    },
  )

  it('of another context is refused without a KMS call', async () => {
    const cluster = new Cluster()
    const { name } = await written(cluster)
    cluster.store.values.clear()
    await cluster.key(cluster.isolate(), OTHER)
    cluster.plant(name, cluster.slot.bytes)
    cluster.kms.calls.length = 0
    await expectRefused(cluster, cluster.isolate(), 0)
  })

  it('is refused with a wrap taken out: messages would leave under fewer KEKs', async () => {
    const kms = new BindingKms()
    kms.kekIds = ['app', 'other']
    const cluster = new Cluster(kms)
    const { name, epoch, active } = await written(cluster)
    const header = active && headerOf(active, 5)
    if (active === undefined || header === undefined) throw new Error('no header')
    expect(header.wraps).toHaveLength(2)
    const { bytes } = encodeKeyHeader(header, header.wraps.slice(0, 1))
    const record = new Uint8Array([...active.record.slice(0, 4), ...bytes])
    const forger = new StoreAuth(PARTITION, undefined)
    const body = await encodeSlot(forger, name, { epoch, active: { ...active, record } })
    cluster.plant(name, new Uint8Array([...body, ...cluster.slot.bytes.slice(-32)]))
    await expectRefused(cluster, cluster.isolate(), 0)
  })
})

describe('the record', () => {
  /** An authentic pointer of a process of ours, to a record as `change` makes it. */
  async function pointed(
    cluster: Cluster,
    header: KeyHeader,
    record?: (bytes: Uint8Array<ArrayBuffer>) => Uint8Array<ArrayBuffer>,
  ): Promise<void> {
    const { name, epoch } = await written(cluster)
    const active = await pointTo(auth, header, header.createdAtMs + HOUR)
    const changed = { ...active, record: record?.(active.record) ?? active.record }
    cluster.plant(name, await encodeSlot(auth, name, { epoch, active: changed }))
  }

  it('is adopted where nothing is wrong with it', async () => {
    const cluster = new Cluster()
    await pointed(cluster, await planted(cluster.kms))
    const cache = cluster.isolate()
    expect((await cluster.key(cache)).header.salt).toEqual(sequence(32, 90))
    expect(cache.stats()).toMatchObject({ adoptions: 1, adoptionsRefused: 0, leases: 0 })
    expect(cluster.kms.calls).toEqual(['unwrap'])
  })

  it.each([
    ['cut short', (bytes: Uint8Array) => bytes.slice(0, -1)],
    ['longer', (bytes: Uint8Array) => new Uint8Array([...bytes, 0])],
    ['of another kind', (bytes: Uint8Array) => bytes.slice().fill(0x01, 3, 4)],
    ['of another data key', (bytes: Uint8Array) => bytes.slice().fill(0x01, 36, 68)],
  ] as const)('that is %s is refused without a KMS call', async (_, change) => {
    const cluster = new Cluster()
    const header = await planted(cluster.kms)
    await pointed(cluster, header, (bytes) => new Uint8Array(change(bytes)))
    await expectRefused(cluster, cluster.isolate(), 0)
  })

  it.each([
    ['W5.1 from before the age limit', -HOUR],
    ['W5.3 from the future', 400_000],
    ['W5.3 from before 2020', 1_577_836_799_999 - 1_767_225_600_000],
  ])('%s is refused without a KMS call', async (_, fromNowMs) => {
    const cluster = new Cluster()
    const createdAtMs = cluster.world.nowMs + fromNowMs
    const header = await planted(cluster.kms, CONTEXT, createdAtMs)
    const { name, epoch } = await written(cluster)
    const active = await pointTo(auth, header, cluster.world.nowMs + HOUR)
    cluster.plant(name, await encodeSlot(auth, name, { epoch, active }))
    await expectRefused(cluster, cluster.isolate(), 0)
  })

  it('under a key that is not configured here is refused without a KMS call', async () => {
    const cluster = new Cluster()
    const foreign = new BindingKms()
    foreign.kekIds = ['foreign']
    await pointed(cluster, await planted(foreign))
    await expectRefused(cluster, cluster.isolate(), 0)
  })

  it('W1.17 that carries in clear what this writer must not store is refused: W1.14', async () => {
    const cluster = new Cluster()
    await cluster.key(cluster.isolate())
    const strict = cluster.isolate({ requiredContextKeys: ['tenant'] })
    const key = await cluster.key(strict)
    expect(Object.keys(key.header.stored)).toEqual([])
    expect(strict.stats().adoptionsRefused).toBe(1)
    const lax = cluster.isolate()
    expect(Object.keys((await cluster.key(lax)).header.stored)).toEqual(['tenant'])
    expect(lax.stats().adoptionsRefused).toBe(1)
  })

  it('that carries one entry in clear for another is refused: W1.14', async () => {
    const cluster = new Cluster()
    const context = { tenant: 'acme', region: 'eu' }
    await cluster.key(cluster.isolate({ requiredContextKeys: ['region'] }), context)
    const strict = cluster.isolate({ requiredContextKeys: ['tenant'] })
    const key = await cluster.key(strict, context)
    expect(Object.keys(key.header.stored)).toEqual(['region'])
    expect(strict.stats()).toMatchObject({ adoptions: 0, adoptionsRefused: 1 })
  })

  it('whose wrap opens to another DEK is refused', async () => {
    const cluster = new Cluster()
    const header = await planted(cluster.kms)
    const k = kmsContext(CONTEXT, header.salt, header.createdAtMs)
    const wraps = cluster.kms.wraps(SecretBytes.copy(sequence(32, 51)), k)
    await pointed(cluster, encodeKeyHeader(header, wraps))
    await expectRefused(cluster, cluster.isolate(), 1)
  })

  it('W5.8 that the KMS wrapped for another context is refused by the KMS', async () => {
    const cluster = new Cluster()
    // Nothing of the context is in the header, and nothing authenticates the pointer.
    const options = { ...TRUSTED, requiredContextKeys: ['tenant'] }
    await cluster.key(cluster.isolate(options))
    const { name } = cluster.slot
    cluster.store.values.clear()
    await cluster.key(cluster.isolate(options), OTHER)
    cluster.plant(name, cluster.slot.bytes)
    cluster.kms.calls.length = 0
    await expectRefused(cluster, cluster.isolate(options), 1)
    expect(cluster.kms.contexts.map(({ tenant }): unknown => tenant)).toEqual(['acme'])
  })

  it('W5.8 whose header says another context is refused, wherever the KMS would open it', async () => {
    const cluster = new Cluster()
    await cluster.key(cluster.isolate(TRUSTED))
    const { name } = cluster.slot
    cluster.store.values.clear()
    await cluster.key(cluster.isolate(TRUSTED), OTHER)
    cluster.plant(name, cluster.slot.bytes)
    cluster.kms.calls.length = 0
    await expectRefused(cluster, cluster.isolate(TRUSTED), 0)
  })

  it.each(['ERR_DECRYPT_FAILED', 'ERR_KMS_ACCESS_DENIED', 'ERR_KMS_KEY_DISABLED'] as const)(
    'that the KMS answers with %s is refused, and replaced for all',
    async (code) => {
      const cluster = new Cluster()
      await written(cluster)
      cluster.kms.before = (name) => {
        if (name === 'unwrap') throw new KmsError(code)
      }
      await expectRefused(cluster, cluster.isolate(), 1)
      cluster.kms.before = () => undefined
      const next = cluster.isolate()
      await cluster.key(next)
      expect(next.stats()).toMatchObject({ adoptions: 1, adoptionsRefused: 0 })
    },
  )

  it.each([
    ['ERR_KMS_UNAVAILABLE', ['unwrap', 'generate']],
    ['ERR_KMS_THROTTLED', ['unwrap']],
    ['ERR_KMS_TIMEOUT', ['unwrap']],
  ] as const)('stays where the KMS is down: %s', async (code, calls) => {
    const cluster = new Cluster()
    await written(cluster)
    const { bytes } = cluster.slot
    cluster.kms.before = () => {
      throw new KmsError(code)
    }
    const cache = cluster.isolate()
    await expect(cluster.key(cache)).rejects.toMatchObject({ code })
    expect(cluster.kms.calls).toEqual(calls)
    expect(cluster.slot.bytes).toEqual(bytes)
    expect(cache.stats().adoptionsRefused).toBe(0)
  })
})

describe('W5.11 at construction', () => {
  it('a KMS that does not authenticate the context demands a storeAuthKey', async () => {
    const cluster = new Cluster(new UnboundKms())
    expect(() => cluster.isolate(TRUSTED)).toThrow(/storeAuthKey is required/)
    await cluster.key(cluster.isolate())
    const cache = cluster.isolate()
    await cluster.key(cache)
    expect(cache.stats().adoptions).toBe(1)
  })

  it('a KMS that only wraps cannot share', () => {
    const kms = new BindingKms()
    Object.assign(kms, { capabilities: { ...kms.capabilities, usage: 'encrypt' } })
    expect(() => new Cluster(kms).isolate()).toThrow(/unwraps/)
  })
})
