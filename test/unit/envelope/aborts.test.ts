import { describe, expect, it } from 'vitest'
import { type DataKeyStore, type EnvelopeCipher, MultiKms } from '../../../src/index.ts'
import { MemoryDataKeyStore } from '../../../src/stores/index.ts'
import {
  type Bytes,
  coldReader,
  localKms,
  OPTIONS,
  PlainKms,
  sequence,
  setUp,
  through,
} from '../wire/fixture.ts'
import { CountingKms } from './fixture.ts'

const plaintext = sequence(20_000)
const CONTEXT = { context: OPTIONS.context }
const reason = new Error('the caller left')

interface World {
  readonly cipher: EnvelopeCipher
  readonly record: Bytes
  readonly stream: Bytes
}

type Method = (world: World, signal: AbortSignal) => Promise<unknown>

const METHODS: Readonly<Record<string, Method>> = {
  encrypt: ({ cipher }, signal) => cipher.encrypt(plaintext, { ...OPTIONS, signal }),
  encryptText: ({ cipher }, signal) => cipher.encryptText('text', { ...OPTIONS, signal }),
  encryptMany: ({ cipher }, signal) => cipher.encryptMany([{ plaintext, ...OPTIONS }], { signal }),
  decrypt: ({ cipher, record }, signal) => cipher.decrypt(record, { ...OPTIONS, signal }),
  decryptMany: ({ cipher, record }, signal) =>
    cipher.decryptMany([{ envelope: record, ...OPTIONS }], { signal }),
  decryptStored: ({ cipher, record }, signal) =>
    cipher.decryptStored(record, { aad: OPTIONS.aad, signal }),
  rewrap: ({ cipher, record }, signal) => cipher.rewrap(record, { ...CONTEXT, signal }),
  decryptRange: ({ cipher, stream }, signal) =>
    cipher.decryptRange(
      async (start, end) => stream.slice(start, end),
      { start: 0 },
      {
        ...OPTIONS,
        signal,
      },
    ),
}
const ALL = Object.entries(METHODS)

async function worldOf(cipher: EnvelopeCipher): Promise<World> {
  return {
    cipher,
    record: await cipher.encrypt(plaintext, OPTIONS),
    stream: await through(cipher.encryptStream(OPTIONS), plaintext),
  }
}

describe('a signal that is aborted before the call', () => {
  it.each(ALL)('%s rejects with its reason and asks no KMS, cold and warm', async (_, method) => {
    // This KMS does not look at signals: the cipher must.
    const kms = new CountingKms(new PlainKms())
    const warm = await worldOf(setUp({ kms }).cipher)
    const cold = { ...warm, cipher: coldReader(kms) }
    kms.calls.length = 0
    for (const world of [cold, warm]) {
      await expect(method(world, AbortSignal.abort(reason))).rejects.toBe(reason)
    }
    expect(kms.calls).toEqual([])
    // The very same call without an abort succeeds.
    expect(await method(cold, new AbortController().signal)).toBeDefined()
    expect(kms.calls.length).toBeGreaterThan(0)
  })

  it('a reason that is not an Error comes back as it is', async () => {
    const { cipher } = setUp()
    for (const odd of ['text', 0, null]) {
      const signal = AbortSignal.abort(odd)
      const caught: unknown = await cipher.encrypt(plaintext, { signal }).catch((e: unknown) => e)
      expect(caught).toBe(odd)
    }
    const timeout = AbortSignal.abort(new DOMException('late', 'TimeoutError'))
    await expect(cipher.encrypt(plaintext, { signal: timeout })).rejects.toMatchObject({
      name: 'TimeoutError',
    })
  })
})

/** A KMS that holds each call until it is told to go on, and leaves when its caller does. */
class HeldKms extends CountingKms {
  #waiting: (() => void)[] = []
  held = 0

  async #hold(signal: AbortSignal | undefined): Promise<void> {
    this.held += 1
    await new Promise<void>((resolve, reject) => {
      this.#waiting.push(resolve)
      signal?.addEventListener('abort', () => {
        reject(signal.reason as Error)
      })
    })
  }

  release(): void {
    for (const resolve of this.#waiting.splice(0)) resolve()
  }

  override async generateDataKey(...args: Parameters<CountingKms['generateDataKey']>) {
    await this.#hold(args[0].signal)
    return super.generateDataKey(...args)
  }

  override async unwrapDataKey(...args: Parameters<CountingKms['unwrapDataKey']>) {
    await this.#hold(args[1].signal)
    return super.unwrapDataKey(...args)
  }

  override async unwrapMany(...args: Parameters<CountingKms['unwrapMany']>) {
    await this.#hold(args[1].signal)
    return super.unwrapMany(...args)
  }
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve))
}

describe('a signal that is aborted while the KMS is asked', () => {
  it.each(ALL)('%s passes it on, and rejects with its reason', async (_, method) => {
    const inner = localKms()
    const made = await worldOf(setUp({ kms: inner }).cipher)
    const kms = new HeldKms(inner)
    const world = { ...made, cipher: coldReader(kms) }
    const abort = new AbortController()
    const pending = method(world, abort.signal)
    const settled = pending.catch((error: unknown) => error)
    await until(() => kms.held === 1)
    abort.abort(reason)
    expect(await settled).toBe(reason)
    // Nothing of the call is left over: the next one is a call of its own and succeeds.
    const again = method(world, new AbortController().signal)
    const watched = again.then(() => true)
    await until(() => kms.held === 2)
    let done = false
    void watched.then(() => (done = true))
    await until(() => {
      kms.release()
      return done
    })
    expect(await again).toBeDefined()
  })

  it('an abort is not a failure of the header: it is not remembered against it', async () => {
    const inner = localKms()
    const { record } = await worldOf(setUp({ kms: inner }).cipher)
    const kms = new HeldKms(inner)
    const reader = coldReader(kms)
    const abort = new AbortController()
    const aborted = reader.decrypt(record, { ...OPTIONS, signal: abort.signal })
    await until(() => kms.held === 1)
    abort.abort(reason)
    await expect(aborted).rejects.toBe(reason)
    const next = reader.decrypt(record, OPTIONS)
    await until(() => kms.held === 2)
    kms.release()
    expect(await next).toEqual(plaintext)
  })

  it('with several KEKs the next one is not asked any more', async () => {
    const inner = localKms()
    const { record } = await worldOf(setUp({ kms: inner }).cipher)
    const [first, second] = [new HeldKms(inner), new CountingKms(inner)]
    const reader = coldReader(new MultiKms({ read: [first, second], write: [first] }))
    const abort = new AbortController()
    const pending = reader.decrypt(record, { ...OPTIONS, signal: abort.signal })
    await until(() => first.held === 1)
    abort.abort(reason)
    await expect(pending).rejects.toBe(reason)
    expect(second.calls).toEqual([])
  })
})

describe('a signal that is aborted while the store is asked', () => {
  it.each(['encrypt', 'decrypt'] as const)('%s rejects with its reason', async (method) => {
    const inner = new MemoryDataKeyStore()
    const abort = new AbortController()
    const signals: (AbortSignal | undefined)[] = []
    const leave = async (signal: AbortSignal | undefined): Promise<never> => {
      signals.push(signal)
      abort.abort(reason)
      throw new Error('the socket was closed')
    }
    const dataKeyStore: DataKeyStore = {
      consistency: 'strong',
      get: (_, options) => leave(options?.signal),
      putIfAbsent: (_key, _record, options) => leave(options?.signal),
      compareAndSwap: (key, expected, next) => inner.compareAndSwap(key, expected, next),
      delete: (key) => inner.delete(key),
      list: (cursor, limit) => inner.list(cursor, limit),
    }
    const kms = localKms()
    const message = await setUp({ kms, dataKeyStore: inner }).cipher.encrypt(plaintext, {
      ...OPTIONS,
      form: 'reference',
    })
    const call = { ...OPTIONS, form: 'reference', signal: abort.signal } as const
    const cipher = coldReader(kms, { dataKeyStore })
    const pending =
      method === 'encrypt' ? cipher.encrypt(plaintext, call) : cipher.decrypt(message, call)
    await expect(pending).rejects.toBe(reason)
    expect(signals.map((signal) => signal?.reason as unknown)).toEqual([reason])
  })
})

it('a range stops between two reads', async () => {
  const { cipher } = setUp()
  const { stream } = await worldOf(cipher)
  for (const last of [1, 2]) {
    const abort = new AbortController()
    let reads = 0
    const read = async (start: number, end: number): Promise<Uint8Array> => {
      if (++reads === last) abort.abort(reason)
      return stream.slice(start, end)
    }
    const pending = cipher.decryptRange(read, { start: 0 }, { ...OPTIONS, signal: abort.signal })
    await expect(pending).rejects.toBe(reason)
    expect(reads).toBe(last)
  }
})

it.each(['encryptMany', 'decryptMany'] as const)('%s stops between two groups', async (method) => {
  const { cipher } = setUp()
  const { record } = await worldOf(cipher)
  const abort = new AbortController()
  let asked = 0
  const items = Array.from({ length: 300 }, () => ({
    plaintext,
    envelope: record,
    context: OPTIONS.context,
    get aad() {
      if (++asked === 70) abort.abort(reason)
      return OPTIONS.aad
    },
  }))
  await expect(cipher[method](items, { signal: abort.signal })).rejects.toBe(reason)
})
