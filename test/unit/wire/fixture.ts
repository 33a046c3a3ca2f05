import { createLocalKms } from '../../../src/providers/local/index.ts'
import {
  type EncryptionContext,
  EnvelopeCipher,
  type EnvelopeCipherOptions,
  type GeneratedDataKey,
  type HealthReport,
  isKmsError,
  type KekVersion,
  type KeyManagementService,
  type KmsCallOptions,
  type KmsCapabilities,
  type KmsSignalOptions,
  type Outcome,
  type Runtime,
  SecretBytes,
  type UnwrappedDataKey,
  type UnwrapRequest,
  type WrappedKey,
} from '../../../src/index.ts'

export type Bytes = Uint8Array<ArrayBuffer>
export const NOW = 1_767_225_600_000
export const CONTEXT: EncryptionContext = { tenant: 'acme' }
export const AAD: EncryptionContext = { row: '42' }
export const OPTIONS = { context: CONTEXT, aad: AAD }
export const sequence = (length: number, first = 0): Bytes =>
  Uint8Array.from({ length }, (_, i) => (first + i) % 251)

/** A clock that stands still and a generator that never repeats, and can be scripted by length. */
export class FakeRuntime implements Runtime {
  nowMs = NOW
  readonly drawn: Bytes[] = []
  readonly scripted = new Map<number, Bytes[]>()
  #count = 0

  now(): number {
    return this.nowMs
  }

  randomFill(bytes: Bytes): Bytes {
    const script = this.scripted.get(bytes.length)?.shift()
    if (script !== undefined) bytes.set(script)
    else new DataView(bytes.buffer, bytes.byteOffset).setUint32(0, ++this.#count)
    this.drawn.push(bytes.slice())
    return bytes
  }
}

/** A KMS that binds no context and does no cryptography: a wrap is the DEK, said backwards. */
export class PlainKms implements KeyManagementService {
  readonly providerName = 'plain'
  readonly capabilities: KmsCapabilities = {
    usage: 'both',
    bindsContext: false,
    rewrapsInside: false,
    rotates: false,
    revealsVersion: true,
    batches: true,
    limits: { maxWrappedBytes: 6_144, maxContextBytes: 8_192 },
  }
  /** Names of the calls that would go over a network, in order. */
  readonly calls: string[] = []
  /** The wraps that each unwrap was asked to open. */
  readonly asked: (readonly WrappedKey[])[] = []
  dek: Bytes = sequence(32)
  kekIds: readonly string[] = ['app']
  version = '1'
  /** Called before each unwrap: may throw. */
  onUnwrap: (wraps: readonly WrappedKey[]) => void = () => undefined

  canUnwrap(wrap: WrappedKey): boolean {
    return wrap.provider === this.providerName && this.kekIds.includes(wrap.kekId)
  }

  async generateDataKey(options: KmsCallOptions): Promise<GeneratedDataKey> {
    this.calls.push('generate')
    const plaintext = SecretBytes.copy(this.dek)
    return { plaintext, wraps: this.#wrap(plaintext, options) }
  }

  async wrapDataKey(plaintext: SecretBytes, options: KmsCallOptions): Promise<WrappedKey[]> {
    this.calls.push('wrap')
    return this.#wrap(plaintext, options)
  }

  async unwrapDataKey(wraps: readonly WrappedKey[], _: KmsCallOptions): Promise<UnwrappedDataKey> {
    this.calls.push('unwrap')
    this.asked.push(wraps)
    this.onUnwrap(wraps)
    const by = wraps[0]!
    return { plaintext: SecretBytes.take(by.wrapped.slice().reverse()), by }
  }

  async unwrapMany(
    items: readonly UnwrapRequest[],
    options: KmsSignalOptions,
  ): Promise<Outcome<UnwrappedDataKey>[]> {
    const outcomes: Outcome<UnwrappedDataKey>[] = []
    for (const { wraps, context } of items) {
      try {
        outcomes.push({ ok: true, value: await this.unwrapDataKey(wraps, { ...options, context }) })
      } catch (error) {
        if (!isKmsError(error)) throw error
        outcomes.push({ ok: false, error })
      }
    }
    return outcomes
  }

  async rewrapDataKey(
    wraps: readonly WrappedKey[],
    options: KmsCallOptions,
  ): Promise<WrappedKey[]> {
    const { plaintext } = await this.unwrapDataKey(wraps, options)
    return this.wrapDataKey(plaintext, options)
  }

  async currentVersion(): Promise<KekVersion[]> {
    return []
  }

  async rotateKey(): Promise<KekVersion[]> {
    return []
  }

  async healthCheck(): Promise<HealthReport> {
    return { healthy: true, checks: [] }
  }

  #wrap(plaintext: SecretBytes, _: KmsCallOptions): WrappedKey[] {
    const wrapped = plaintext.expose().slice().reverse()
    return this.kekIds.map((kekId) => {
      return { provider: this.providerName, kekId, kekVersion: this.version, wrapped }
    })
  }
}

/** A cipher over a {@link PlainKms} and a {@link FakeRuntime}. */
export function setUp(options: Partial<EnvelopeCipherOptions> & Record<string, unknown> = {}): {
  readonly cipher: EnvelopeCipher
  readonly kms: PlainKms
  readonly runtime: FakeRuntime
} {
  const kms = new PlainKms()
  const runtime = new FakeRuntime()
  return { cipher: new EnvelopeCipher({ kms, runtime, ...options }), kms, runtime }
}

/** Another cipher over the same KMS, with nothing in its cache. */
export function coldReader(
  kms: KeyManagementService,
  options: Record<string, unknown> = {},
): EnvelopeCipher {
  return new EnvelopeCipher({ kms, runtime: new FakeRuntime(), ...options })
}

export function localKms(version = 1): KeyManagementService {
  return createLocalKms({ versions: [{ version, key: sequence(32, version) }] })
}

/** The bytes that a stream released, and the error that it ended with. */
export interface Drained {
  readonly released: Bytes
  readonly error: unknown
}

/** Sends pieces through a transform and takes all that comes out, to the end or the error. */
export async function drain(
  transform: TransformStream<Uint8Array, Uint8Array>,
  pieces: Iterable<Uint8Array>,
): Promise<Drained> {
  const writer = transform.writable.getWriter()
  const sending = (async () => {
    for (const piece of pieces) await writer.write(piece)
    await writer.close()
  })().catch(() => undefined)
  const parts: Uint8Array[] = []
  const reader = transform.readable.getReader()
  let error: unknown
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) break
      parts.push(value)
    }
  } catch (caught) {
    error = caught
  }
  await sending
  return { released: new Uint8Array(Buffer.concat(parts)), error }
}

/** A message cut into pieces of these sizes, in turn. */
export function* cut(message: Uint8Array, sizes: readonly number[]): Generator<Uint8Array> {
  for (let at = 0, i = 0; at < message.length; i++) {
    const size = sizes[i % sizes.length]!
    yield message.slice(at, at + size)
    at += size
  }
}

/** The whole of what a stream makes of one input. */
export async function through(
  transform: TransformStream<Uint8Array, Uint8Array>,
  input: Uint8Array,
): Promise<Bytes> {
  const { released, error } = await drain(transform, cut(input, [65_536]))
  if (error !== undefined) throw error
  return released
}
