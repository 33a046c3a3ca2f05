import { type Bytes, equalBytes } from '../../src/bytes/index.ts'

/** The members of a `Deno.Kv` that the stores use. */
export interface DenoKv {
  get(key: readonly string[]): Promise<DenoKvEntry>
  set(key: readonly string[], value: unknown, options?: { expireIn?: number }): Promise<unknown>
  delete(key: readonly string[]): Promise<void>
  list(
    selector: { prefix: readonly string[]; start: readonly string[] },
    options: { limit: number },
  ): AsyncIterable<{ readonly key: readonly unknown[] }>
  atomic(): DenoKvOperation
}

/** The members of a `Deno.KvEntryMaybe` that the stores use. */
export interface DenoKvEntry {
  readonly value: unknown
  /** `null`: there is nothing under this key. */
  readonly versionstamp: string | null
}

/** The members of a `Deno.AtomicOperation` that the stores use. */
export interface DenoKvOperation {
  check(check: { key: readonly string[]; versionstamp: string | null }): DenoKvOperation
  set(key: readonly string[], value: unknown, options?: { expireIn?: number }): DenoKvOperation
  commit(): Promise<{ readonly ok: boolean }>
}

/** Deno KV takes 64 KiB of a serialized value: what is left of it for ours, bytes. */
export const DENO_MAX_VALUE_BYTES = 65_000

/** A write that others pass by so often has lost. */
const MAX_TURNS = 16

/**
 * Replaces a value that is as expected, where Deno KV compares versions: another version of the same
 * value is not another value, so it looks again.
 *
 * @param held - the value of an entry, `undefined` for none
 * @throws what `passedBy` gives, when other writers changed the value at every attempt
 */
export async function swapEntry(
  kv: DenoKv,
  key: readonly string[],
  expected: Bytes | undefined,
  next: { readonly bytes: Bytes; readonly expireIn?: number },
  held: (entry: DenoKvEntry) => Bytes | undefined,
  passedBy: () => Error,
): Promise<boolean> {
  const { bytes, ...options } = next
  for (let turn = 0; turn < MAX_TURNS; turn++) {
    const entry = await kv.get(key)
    const found = held(entry)
    const same =
      found === undefined || expected === undefined
        ? found === expected
        : equalBytes(found, expected)
    if (!same) return false
    const { versionstamp } = entry
    const done = await kv.atomic().check({ key, versionstamp }).set(key, bytes, options).commit()
    if (done.ok) return true
  }
  throw passedBy()
}

/** @throws what `unreadable` gives, for what no store wrote */
export function entryBytes(value: unknown, unreadable: () => Error): Bytes {
  if (value instanceof Uint8Array) return new Uint8Array(value)
  throw unreadable()
}
