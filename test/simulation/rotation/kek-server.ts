import {
  type EncryptionContext,
  type GeneratedDataKey,
  type HealthReport,
  type KekVersion,
  type KeyManagementService,
  type KmsCapabilities,
  KmsError,
  type KmsCallOptions,
  type Outcome,
  SecretBytes,
  type UnwrappedDataKey,
  unwrapEach,
  type UnwrapRequest,
  type WrappedKey,
} from '../../../src/index.ts'
import type { Random } from '../random.ts'
import type { Remote } from '../remote.ts'
import { hex, KmsServer } from '../sim-kms.ts'

type Bytes = Uint8Array<ArrayBuffer>

/** A KMS whose versions can be disabled one by one, and which sometimes wraps another data key than it should. */
export class KekServer extends KmsServer {
  readonly disabledVersions = new Set<string>()
  /** Share of the rewraps that go wrong. */
  badWraps = 0
  readonly #draws: Random
  readonly #known = new Set<string>()

  constructor(provider: string, remote: Remote, random: Random, draws: Random) {
    super(provider, remote, random, { asked: () => () => undefined, secret: () => undefined })
    this.#draws = draws
  }

  override wrap(dek: Bytes, context: EncryptionContext): WrappedKey {
    const isRewrap = this.#known.has(hex(dek))
    this.#known.add(hex(dek))
    if (!isRewrap || this.badWraps === 0 || !this.#draws.chance(this.badWraps))
      return super.wrap(dek, context)
    return super.wrap(this.#draws.fill(new Uint8Array(32)), context)
  }

  override unwrap(wrap: WrappedKey, context: EncryptionContext): Bytes {
    if (!this.disabledVersions.has(wrap.kekVersion)) return super.unwrap(wrap, context)
    throw new KmsError('ERR_KMS_KEY_DISABLED', { provider: this.provider })
  }
}

/** The servers without a network between: for what is there before the world begins, and for its judge. */
export class DirectKms implements KeyManagementService {
  readonly providerName = 'direct'
  readonly capabilities: KmsCapabilities = {
    usage: 'both',
    bindsContext: true,
    rewrapsInside: false,
    rotates: false,
    revealsVersion: true,
    batches: false,
    limits: { maxWrappedBytes: 64, maxContextBytes: 8_192 },
  }
  readonly #servers: readonly KekServer[]

  constructor(...servers: readonly KekServer[]) {
    this.#servers = servers
  }

  canUnwrap(wrap: WrappedKey): boolean {
    return this.#servers.some(({ provider }) => provider === wrap.provider)
  }

  generateDataKey({ context }: KmsCallOptions): Promise<GeneratedDataKey> {
    const dek = this.#servers[0]?.makeDek() as Bytes
    const wraps = this.#servers.map((server) => server.wrap(dek, context))
    return Promise.resolve({ plaintext: SecretBytes.copy(dek), wraps })
  }

  async unwrapDataKey(
    wraps: readonly WrappedKey[],
    { context }: KmsCallOptions,
  ): Promise<UnwrappedDataKey> {
    await Promise.resolve()
    for (const by of wraps) {
      const server = this.#servers.find(({ provider }) => provider === by.provider)
      if (server) return { plaintext: SecretBytes.take(server.unwrap(by, context)), by }
    }
    throw new KmsError('ERR_ENVELOPE_UNKNOWN_KEY')
  }

  unwrapMany(
    items: readonly UnwrapRequest[],
    options: { readonly signal?: AbortSignal | undefined },
  ): Promise<readonly Outcome<UnwrappedDataKey>[]> {
    return unwrapEach(this, items, options)
  }

  wrapDataKey = unused
  rewrapDataKey = unused
  rotateKey = unused

  currentVersion(): Promise<readonly KekVersion[]> {
    return Promise.resolve(
      this.#servers.map(({ provider, version }) => ({
        provider,
        kekId: 'kek',
        kekVersion: String(version),
      })),
    )
  }

  healthCheck(): Promise<HealthReport> {
    return Promise.resolve({ healthy: true, checks: [] })
  }
}

function unused(): Promise<never> {
  return Promise.reject(new Error('nothing here calls it'))
}
