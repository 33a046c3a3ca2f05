import { CipherEntrypoint, type Ciphers } from '../../adapters/workers/entrypoint/index.ts'
import {
  DurableObjectKeyValueStore,
  EdgeKmsStoreObject,
  readSecrets,
  type SecretBinding,
  type StoreObjectNamespace,
} from '../../adapters/workers/index.ts'
import { sharedDataKeys } from '../../src/data-keys/shared/index.ts'
import {
  CachedKms,
  EnvelopeCipher,
  InterceptedKms,
  type KeyManagementService,
  type KmsCall,
  KmsError,
  type KmsSignalOptions,
  type NextCall,
} from '../../src/index.ts'
import { EnvKeyProvider } from '../../src/providers/local/index.ts'

export { EdgeKmsStoreObject }

interface Env {
  readonly EDGE_KMS_KEY_V1: string
  readonly EDGE_KMS_KEY_V2?: string
  readonly STORE?: StoreObjectNamespace
  readonly SECRET: SecretBinding
}

/** Facts that the tests ask for: counts of this isolate, and how streams ended here. */
const seen = { created: 0, kms: [] as string[], streams: [] as string[] }
let failing: 'config' | 'secret' | undefined
/** While this is set, `createCiphers` of `Slow` waits. */
let closed = false
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

class CountedKms extends InterceptedKms {
  protected override around<T, O extends KmsSignalOptions>(
    call: KmsCall<T, O>,
    next: NextCall<T, O>,
  ): Promise<T> {
    seen.kms.push(call.operation)
    return next(call.options)
  }
}

const counted = (env: Env): KeyManagementService => new CountedKms(new EnvKeyProvider(env))

/** The real cipher; the streams say how they end on this side. */
function watched(cipher: EnvelopeCipher): Ciphers[string] {
  const encryptStream: EnvelopeCipher['encryptStream'] = (options) => {
    const { readable, writable } = cipher.encryptStream(options)
    const watcher = {
      flush: (): void => void seen.streams.push('ended'),
      cancel: (reason: unknown): void => void seen.streams.push(`cancelled: ${String(reason)}`),
    }
    const watch = new TransformStream<Uint8Array, Uint8Array>(watcher, undefined, {
      highWaterMark: 0,
    })
    readable.pipeTo(watch.writable).catch((error: unknown) => {
      seen.streams.push(`errored: ${String(error)}`)
    })
    return { readable: watch.readable, writable }
  }
  return new Proxy(cipher, {
    get(target, name) {
      if (name === 'encryptStream') return encryptStream
      const value: unknown = Reflect.get(target, name, target)
      return typeof value === 'function' ? (value.bind(target) as unknown) : value
    },
  })
}

export class Vault extends CipherEntrypoint<Env> {
  protected override createCiphers(env: Env): Ciphers {
    seen.created++
    if (failing === 'config') throw new KmsError('ERR_KMS_CONFIG', { message: 'no key' })
    if (failing === 'secret') throw new Error('canary-of-create-ciphers')
    const kms = counted(env)
    const shared =
      env.STORE &&
      sharedDataKeys({
        partition: 'tests',
        storeAuthKey: Uint8Array.from({ length: 32 }, (_, i) => i),
        store: new DurableObjectKeyValueStore({ namespace: env.STORE }),
      })
    const keys = new CachedKms({ kms, ...(shared && { shared }) })
    const cipher = new EnvelopeCipher({ keys })
    const pii = new EnvelopeCipher({ kms, maxRecordBytes: 64 * 1_048_576 })
    return { default: cipher, pii, watched: watched(cipher) }
  }

  /** Every binding can call the methods that a subclass adds. */
  notes(): Promise<typeof seen> {
    const notes = structuredClone(seen)
    seen.created = 0
    seen.kms = []
    seen.streams = []
    return Promise.resolve(notes)
  }

  fail(how: typeof failing): void {
    failing = how
  }
}

/** Its `createCiphers` is a field, and takes as long as the test says. */
export class Slow extends CipherEntrypoint<Env> {
  protected override createCiphers = async (env: Env): Promise<Ciphers> => {
    seen.created++
    do await pause(20)
    while (closed)
    return { default: new EnvelopeCipher({ kms: counted(env) }) }
  }

  close(): void {
    closed = true
  }

  open(): void {
    closed = false
  }
}

/** Its cipher begins work that goes on after the answer. */
export class Deferring extends CipherEntrypoint<Env> {
  protected override createCiphers(env: Env): Ciphers {
    const cipher = new EnvelopeCipher({ kms: counted(env) })
    const encrypt: EnvelopeCipher['encrypt'] = (plaintext, options) => {
      const work = pause(300).then(() => void seen.streams.push('deferred'))
      options?.defer?.(work)
      return cipher.encrypt(plaintext, options)
    }
    return {
      default: {
        ...watched(cipher),
        encryptStream: cipher.encryptStream.bind(cipher),
        encrypt,
      },
    }
  }
}

/** Its key is in the Secrets Store. */
export class Stored extends CipherEntrypoint<Env> {
  protected override async createCiphers(env: Env): Promise<Ciphers> {
    seen.created++
    const { SECRET } = await readSecrets(env, ['SECRET'])
    return { default: new EnvelopeCipher({ kms: new EnvKeyProvider({ EDGE_KMS_KEY_V1: SECRET }) }) }
  }
}

/** Returns nothing that is a cipher. */
export class Wrong extends CipherEntrypoint<Env> {
  protected override createCiphers(): Ciphers {
    return { default: {} } as unknown as Ciphers
  }
}

export default { fetch: (): Response => new Response('a service') }
