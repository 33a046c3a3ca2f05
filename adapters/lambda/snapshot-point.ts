import { demandFunction, plainOptions, refuseOthers, wrongOption } from '../../src/checks/index.ts'
import { isKmsError } from '../../src/index.ts'
import { runtimeApi } from './runtime-api.ts'

/** A holder of data keys: an `EnvelopeCipher` or a `CachedKms`. */
export interface KeyHolder {
  clear(): unknown
}

/** Options of {@link snapshotPoint}. */
export interface SnapshotOptions {
  /** Every cipher and cache that the init phase made. Their data keys are dropped before the snapshot and after it. */
  readonly clear: readonly KeyHolder[]
  /** Runs before the snapshot: close connections, and drop everything that must not be in every copy. */
  readonly before?: () => unknown
  /** Runs in each copy after it was restored, before the first invocation. */
  readonly after?: () => unknown
  /** The environment; `process.env` by default. */
  readonly env?: Readonly<Record<string, string | undefined>>
}

/**
 * Waits at the point where Lambda SnapStart takes its snapshot. Call it with `await` as the last statement of your
 * module. Elsewhere than in SnapStart's init phase it returns at once.
 *
 * Node has no hooks for SnapStart, so this asks the Runtime API's `/restore/next` itself, for functions from
 * container images. Data keys are dropped before the snapshot, because every copy would otherwise have them. If that
 * or `before` fails, it throws, the init phase fails, and no snapshot is taken. If `after` fails, it reports that to
 * `/restore/error` and throws, and the copy takes no invocation.
 *
 * @remarks Security: give every cipher {@link snapshotRuntime}, too. Without it, two copies may draw the same random
 * numbers.
 * @returns `'restored'` in a copy, `'none'` without SnapStart
 * @throws KmsError `ERR_KMS_CONFIG`, or `ERR_KMS_UNAVAILABLE` if the Runtime API does not take part
 *
 * @example
 * ```ts
 * import { EnvelopeCipher } from 'edge-kms'
 * import { containerCredentials, createAwsKms } from 'edge-kms/aws-kms'
 * import { snapshotPoint, snapshotRuntime, withKms } from 'edge-kms/lambda'
 *
 * const runtime = snapshotRuntime()
 * const credentials = containerCredentials({
 *   fullUri: process.env['AWS_CONTAINER_CREDENTIALS_FULL_URI'] ?? '',
 *   authorizationToken: process.env['AWS_CONTAINER_AUTHORIZATION_TOKEN'] ?? '',
 * })
 * const kms = createAwsKms({ keyId: process.env['KMS_KEY_ARN'] ?? '', credentials, runtime })
 * const cipher = new EnvelopeCipher({ kms, runtime })
 *
 * export const handler = withKms(
 *   (event: { body: string }, _context, { cipher, signal, defer }) =>
 *     cipher.encryptText(event.body, { context: { app: 'orders' }, signal, defer }),
 *   { create: () => ({ cipher }) },
 * )
 * await snapshotPoint({ clear: [cipher] })
 * ```
 */
export async function snapshotPoint(options: SnapshotOptions): Promise<'restored' | 'none'> {
  const { clear, before, after, env = process.env, ...others } = plainOptions(options)
  refuseOthers(others)
  checkHolders(clear)
  if (Object(env) !== env) throw wrongOption('env', 'an object such as process.env', env)
  for (const [name, hook] of Object.entries({ before, after })) {
    if (hook !== undefined) demandFunction(name, hook)
  }
  if (env['AWS_LAMBDA_INITIALIZATION_TYPE'] !== 'snap-start') return 'none'
  const api = runtimeApi(env['AWS_LAMBDA_RUNTIME_API'])
  await before?.()
  await dropKeys(clear) // last: what `before` did may have made some
  await api.restoreNext()
  try {
    // A call that was under way at the snapshot may have brought a key since.
    await dropKeys(clear)
    await after?.()
  } catch (error) {
    // The message of a foreign error may hold anything; the log has it.
    const message = isKmsError(error) ? error.message : 'the hook after the restore failed'
    await api.restoreError('Runtime.AfterRestoreError', message).catch(() => undefined)
    throw error
  }
  return 'restored'
}

function checkHolders(holders: readonly KeyHolder[]): void {
  const isHolder = (one: unknown): boolean =>
    typeof (Object(one) as Partial<KeyHolder>).clear === 'function'
  if (Array.isArray(holders) && holders.length > 0 && holders.every(isHolder)) return
  throw wrongOption('clear', 'a list of ciphers or caches, at least one', holders)
}

/** A holder of your own may need time. A snapshot before it is done would hold its keys. */
async function dropKeys(holders: readonly KeyHolder[]): Promise<void> {
  await Promise.all(holders.map(async (holder) => holder.clear()))
}
