import {
  type EncryptionContext,
  encodeKmsContext,
  type GeneratedDataKey,
  type HealthReport,
  type KekVersion,
  type KeyManagementService,
  type KmsCallOptions,
  type KmsCapabilities,
  KmsError,
  type KmsErrorCode,
  type KmsSignalOptions,
  type Outcome,
  SecretBytes,
  unwrapEach,
  type UnwrappedDataKey,
  type UnwrapRequest,
  type WrappedKey,
} from '../../src/index.ts'
import type { Isolate } from './isolate.ts'
import type { Random } from './random.ts'
import { CallFailed, type Remote } from './remote.ts'

type Bytes = Uint8Array<ArrayBuffer>
/** Callbacks by which the world's judge hears of each call. */
export interface KmsWitness {
  asked(isolate: Isolate, provider: string, operation: string, subject: string): () => void
  /** A data key was made for this isolate, under this wrap. */
  made?(isolate: Isolate, wrapped: string, createdAtMs: number): void
  /** Every DEK that exists. */
  secret(dek: Bytes): void
}

const FAILURES: Readonly<Record<CallFailed['kind'], KmsErrorCode>> = {
  down: 'ERR_KMS_UNAVAILABLE',
  'request-lost': 'ERR_KMS_TIMEOUT',
  'answer-lost': 'ERR_KMS_TIMEOUT',
  throttled: 'ERR_KMS_THROTTLED',
}

/** The vendor's side: a table of what it wrapped. A wrap is the row's number and 12 random bytes. */
export class KmsServer {
  readonly provider: string
  readonly remote: Remote
  readonly witness: KmsWitness
  version = 1
  disabled = false
  readonly #random: Random
  readonly #rows = new Map<string, { readonly dek: Bytes; readonly context: string }>()

  constructor(provider: string, remote: Remote, random: Random, witness: KmsWitness) {
    this.provider = provider
    this.remote = remote
    this.witness = witness
    this.#random = random
  }

  makeDek(): Bytes {
    const dek = this.#random.fill(new Uint8Array(32))
    this.witness.secret(dek)
    return dek
  }

  wrap(dek: Bytes, context: EncryptionContext): WrappedKey {
    this.#demandEnabled()
    const wrapped = this.#random.fill(new Uint8Array(16))
    this.#rows.set(hex(wrapped), { dek: dek.slice(), context: idOf(context) })
    return { provider: this.provider, kekId: 'kek', kekVersion: String(this.version), wrapped }
  }

  unwrap({ wrapped }: WrappedKey, context: EncryptionContext): Bytes {
    this.#demandEnabled()
    const row = this.#rows.get(hex(wrapped))
    if (row?.context !== idOf(context)) throw new KmsError('ERR_DECRYPT_FAILED')
    return row.dek.slice()
  }

  #demandEnabled(): void {
    if (this.disabled) throw new KmsError('ERR_KMS_KEY_DISABLED', { provider: this.provider })
  }
}

/** The client of one isolate, as a provider would write it. */
export class SimKms implements KeyManagementService {
  readonly providerName: string
  readonly capabilities: KmsCapabilities = {
    usage: 'both',
    bindsContext: true,
    rewrapsInside: false,
    rotates: true,
    revealsVersion: true,
    batches: false,
    limits: { maxWrappedBytes: 64, maxContextBytes: 8_192 },
  }
  readonly #server: KmsServer
  readonly #isolate: Isolate

  constructor(server: KmsServer, isolate: Isolate) {
    this.providerName = server.provider
    this.#server = server
    this.#isolate = isolate
  }

  canUnwrap(wrap: WrappedKey): boolean {
    return wrap.provider === this.providerName && wrap.kekId === 'kek'
  }

  generateDataKey(options: KmsCallOptions): Promise<GeneratedDataKey> {
    const server = this.#server
    return this.#call('generate', idOf(options.context), options, () => {
      const dek = server.makeDek()
      const wrap = server.wrap(dek, options.context)
      const dataKey = String(options.context['edge-kms:dk'])
      const createdAtMs = Number(dataKey.split('.')[1])
      server.witness.made?.(this.#isolate, hex(wrap.wrapped), createdAtMs)
      return { plaintext: SecretBytes.copy(dek), wraps: [wrap] }
    })
  }

  wrapDataKey(plaintext: SecretBytes, options: KmsCallOptions): Promise<readonly WrappedKey[]> {
    const dek = plaintext.expose().slice()
    return this.#call('wrap', idOf(options.context), options, () => [
      this.#server.wrap(dek, options.context),
    ])
  }

  async unwrapDataKey(
    wraps: readonly WrappedKey[],
    options: KmsCallOptions,
  ): Promise<UnwrappedDataKey> {
    const by = wraps.find((wrap) => this.canUnwrap(wrap))
    if (by === undefined) throw new KmsError('ERR_ENVELOPE_UNKNOWN_KEY')
    const dek = await this.#call('unwrap', hex(by.wrapped), options, () =>
      this.#server.unwrap(by, options.context),
    )
    const current = by.kekVersion === String(this.#server.version)
    return { plaintext: SecretBytes.take(dek), by, current }
  }

  unwrapMany(
    items: readonly UnwrapRequest[],
    options: KmsSignalOptions,
  ): Promise<readonly Outcome<UnwrappedDataKey>[]> {
    return unwrapEach(this, items, options)
  }

  async rewrapDataKey(
    wraps: readonly WrappedKey[],
    options: KmsCallOptions,
  ): Promise<readonly WrappedKey[]> {
    const { plaintext } = await this.unwrapDataKey(wraps, options)
    return this.wrapDataKey(plaintext, options)
  }

  currentVersion(options: KmsSignalOptions): Promise<readonly KekVersion[]> {
    return this.#call('version', '', options, () => [this.#version()])
  }

  rotateKey(options: KmsSignalOptions): Promise<readonly KekVersion[]> {
    return this.#call('rotate', '', options, () => {
      this.#server.version += 1
      return [this.#version()]
    })
  }

  async healthCheck(options: KmsSignalOptions): Promise<HealthReport> {
    await this.currentVersion(options)
    return { healthy: true, checks: [] }
  }

  #version(): KekVersion {
    return { provider: this.providerName, kekId: 'kek', kekVersion: String(this.#server.version) }
  }

  async #call<T>(
    operation: string,
    subject: string,
    { signal }: KmsSignalOptions,
    work: () => T,
  ): Promise<T> {
    const { remote, witness, provider } = this.#server
    const ended = witness.asked(this.#isolate, provider, operation, subject)
    try {
      return await remote.call(this.#isolate, signal, work)
    } catch (error) {
      if (error instanceof CallFailed) throw new KmsError(FAILURES[error.kind], { provider })
      throw error
    } finally {
      ended()
    }
  }
}

function idOf(context: EncryptionContext): string {
  return hex(encodeKmsContext(context))
}

export function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex')
}
