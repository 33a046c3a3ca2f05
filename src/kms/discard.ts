import type { Outcome } from '../errors.ts'
import type { SecretBytes } from './secret-bytes.ts'

interface MaybeSecret {
  readonly plaintext?: Partial<SecretBytes>
}

/** Wipes the DEKs in an answer that nobody will take. Never throws: it may be anything. */
export function discard(answer: unknown): void {
  for (const item of [answer].flat()) {
    const { value = item } = Object(item) as Partial<Extract<Outcome<unknown>, { ok: true }>>
    const { plaintext } = Object(value) as MaybeSecret
    if (typeof plaintext?.dispose === 'function') plaintext.dispose()
  }
}
