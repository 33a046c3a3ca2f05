import { WorkerEntrypoint } from 'cloudflare:workers'
import { KmsError, type KmsResult, toKmsResult } from 'edge-kms'
import { EncryptedBucket, type ObjectRange, r2Bucket } from 'edge-kms/objects'
import { allows, parsePolicy, type PolicyOperation } from 'edge-kms/workers'
import { cipherOf, type VaultEnv } from './stack.ts'

/** The props in the binding of a caller: see the app's wrangler.toml. */
interface FilesProps {
  readonly policy?: unknown
}

/** A file, or a part of it. RPC takes plain values and streams of bytes. */
export interface FileAnswer {
  readonly body: ReadableStream<Uint8Array>
  readonly offset: number
  readonly length: number
  readonly size: number
  readonly type: string
}

/** The first part of a file's name is its tenant. */
const contextOf = (key: string) => ({ tenant: key.split('/')[0] ?? '' })

/**
 * Encrypted files in R2 for other Workers. It is a class beside `Vault`, because no policy guards what you add to that
 * one: here each method asks the policy itself, first.
 */
export class Files extends WorkerEntrypoint<VaultEnv, FilesProps> {
  /** Writes a file of a known length. A source that breaks off leaves the old file, or none. */
  put(
    key: string,
    body: ReadableStream<Uint8Array>,
    { plaintextBytes, type }: { plaintextBytes: number; type: string },
  ): Promise<KmsResult<{ size: number }>> {
    return this.#answer('encrypt', key, async (files) => {
      const customMetadata = { type: encodeURIComponent(type) }
      await files.put(key, body, { plaintextBytes, customMetadata, defer: this.#defer })
      return { size: plaintextBytes }
    })
  }

  /** Returns a file or a range of it; `null` if there is none, `'outside'` if the range begins behind its end. */
  get(key: string, range?: ObjectRange): Promise<KmsResult<FileAnswer | 'outside' | null>> {
    return this.#answer('decrypt', key, async (files) => {
      const found = await files.get(key, { range, defer: this.#defer }).catch(outside)
      if (found === null || found === 'outside') return found
      const type = decodeURIComponent(found.customMetadata['type'] ?? '')
      return { body: found.body, ...found.range, size: found.size, type }
    })
  }

  /** Runs the work if the policy of the binding allows it. RPC loses error classes, so errors are values. */
  #answer<T>(
    operation: PolicyOperation,
    key: string,
    work: (files: EncryptedBucket) => Promise<T>,
  ): Promise<KmsResult<T>> {
    const answer = async (): Promise<T> => {
      this.#demand(operation, key)
      const bucket = r2Bucket(this.env.FILES)
      return work(new EncryptedBucket({ bucket, cipher: cipherOf(this.env), contextOf }))
    }
    return toKmsResult(answer())
  }

  /** Without a policy nothing is allowed. */
  #demand(operation: PolicyOperation, key: string): void {
    const { policy } = this.ctx.props
    const parsed = policy === undefined ? undefined : parsePolicy(policy)
    const decision = allows(parsed, { operation, key: 'default', context: contextOf(key) })
    if (decision.allowed) return
    throw new KmsError('ERR_KMS_ACCESS_DENIED', { provider: 'policy', message: decision.reason })
  }

  readonly #defer = (work: Promise<unknown>): void => {
    this.ctx.waitUntil(work)
  }
}

function outside(error: unknown): 'outside' {
  if (error instanceof RangeError) return 'outside'
  throw error
}
