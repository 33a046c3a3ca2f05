import { KmsError, type Outcome, typedError } from '../../errors.ts'
import type {
  EncryptionContext,
  KmsSignalOptions,
  SecretBytes,
  UnwrappedDataKey,
  WrappedKey,
} from '../../kms/index.ts'
import { type Binding, type DecryptItem, PROVIDER } from './transit-api.ts'

/** Items of one call: with contexts of the longest kind some 11 MiB, of 32 MiB that Vault takes. */
const BATCH_ITEMS = 1_000

/** Wraps under our key, of one data key. */
interface Candidates {
  readonly wraps: readonly { readonly by: WrappedKey; readonly ciphertext: string | undefined }[]
  readonly context: EncryptionContext
}

/** Parts that the work uses. */
interface Batches {
  readonly bindings: () => Promise<(context: EncryptionContext) => Binding>
  readonly decrypt: (batch: readonly DecryptItem[]) => Promise<readonly Outcome<SecretBytes>[]>
  readonly opened: (plaintext: SecretBytes, by: WrappedKey) => UnwrappedDataKey
}

/** One wrap, and the item that it is for. */
interface Asked extends DecryptItem {
  readonly at: number
  readonly by: WrappedKey
}

/**
 * Opens many data keys with one call for each thousand: in order, one outcome for each. A failure of
 * a whole call is the outcome of each of its items, except an abort.
 */
export async function unwrapInBatches(
  items: readonly Candidates[],
  options: KmsSignalOptions,
  { bindings, decrypt, opened }: Batches,
): Promise<readonly Outcome<UnwrappedDataKey>[]> {
  const outcomes = items.map(({ wraps }): Outcome<UnwrappedDataKey> => {
    const code = wraps.length === 0 ? 'ERR_ENVELOPE_UNKNOWN_KEY' : 'ERR_DECRYPT_FAILED'
    return { ok: false, error: new KmsError(code, { provider: PROVIDER }) }
  })
  const asks = items.some(({ wraps }) => wraps.some(({ ciphertext }) => ciphertext !== undefined))
  if (!asks) return outcomes
  let asked: readonly Asked[] = []
  try {
    const bind = await bindings()
    asked = items.flatMap(({ wraps, context }, at) => {
      const binding = bind(context)
      return wraps.flatMap(({ by, ciphertext }) =>
        ciphertext === undefined ? [] : [{ at, by, ciphertext, binding }],
      )
    })
  } catch (error) {
    const typed = typedError(error, 'ERR_KMS_UNAVAILABLE', options.signal)
    return outcomes.map((one, at) => (isAsked(items[at]) ? { ok: false, error: typed } : one))
  }
  for (let start = 0; start < asked.length; start += BATCH_ITEMS) {
    const batch = asked.slice(start, start + BATCH_ITEMS)
    const results = await settled(() => decrypt(batch), batch.length, options)
    for (const [i, { at, by }] of batch.entries()) {
      const result = results[i] as Outcome<SecretBytes>
      const held = outcomes[at]
      // One wrap of a data key that opens is enough.
      if (!result.ok) outcomes[at] = held?.ok === true ? held : result
      else if (held?.ok === true) result.value.dispose()
      else outcomes[at] = { ok: true, value: opened(result.value, by) }
    }
  }
  return outcomes
}

function isAsked(item: Candidates | undefined): boolean {
  return item?.wraps.some(({ ciphertext }) => ciphertext !== undefined) === true
}

async function settled(
  work: () => Promise<readonly Outcome<SecretBytes>[]>,
  length: number,
  { signal }: KmsSignalOptions,
): Promise<readonly Outcome<SecretBytes>[]> {
  try {
    return await work()
  } catch (error) {
    const typed = typedError(error, 'ERR_KMS_UNAVAILABLE', signal)
    return Array.from({ length }, () => ({ ok: false, error: typed }))
  }
}
