import type { ObjectCondition } from './object-store.ts'

/** The store's facts about one version of an object. */
export interface ObjectFacts {
  readonly key: string
  /** Of the version, without quotes: for `onlyIf`. */
  readonly etag: string
  /** The same in quotes, for HTTP headers. */
  readonly httpEtag: string
  /** Names the version, if the store has versions: always with R2, with S3 if the bucket keeps them. */
  readonly version?: string | undefined
  readonly uploaded?: Date | undefined
  /** Length of what is stored, bytes. */
  readonly envelopeBytes: number
}

/** Answer of `head`. */
export interface ObjectHead extends ObjectFacts {
  /**
   * The object's own claims. An attacker who can write the bucket can claim anything here: only `get` verifies
   * it.
   */
  readonly unverified: {
    /** Length of the plaintext, bytes. */
    readonly size: number
    readonly customMetadata: Readonly<Record<string, string>>
  }
}

/** Answer of `put`. */
export interface PutObject extends ObjectFacts {
  /** Length of the plaintext, bytes; `undefined` for a stream whose length was not given. */
  readonly size: number | undefined
  readonly customMetadata: Readonly<Record<string, string>>
}

/** Answer of `get` if the condition of `onlyIf` does not hold: an object without a body, as with R2. */
export interface ObjectNotRead {
  readonly key: string
  readonly etag?: string | undefined
  readonly body?: undefined
}

/** Answer of `rewrap`. */
export interface RewrappedObject {
  readonly key: string
  /** `inline`: the object was written again, with a new ETag. `reference`: only its data-key record was. */
  readonly form: 'inline' | 'reference'
  readonly etag: string
}

/** A part of the plaintext: from an offset, so many bytes, or the last bytes. */
export type ObjectRange =
  | { readonly offset: number; readonly length?: number }
  | { readonly offset?: number; readonly length: number }
  | { readonly suffix: number }

/** Options of every call. */
export interface ObjectCallSignal {
  readonly signal?: AbortSignal | undefined
  /** Keeps work alive after the answer, e.g. `ctx.waitUntil`. */
  readonly defer?: ((work: Promise<unknown>) => void) | undefined
}

/** Options of `get`. */
export interface GetObjectOptions extends ObjectCallSignal {
  readonly range?: ObjectRange | undefined
  readonly onlyIf?: ObjectCondition | undefined
}

/** Options of `put`. */
export interface PutObjectOptions extends ObjectCallSignal {
  /** If the condition does not hold, nothing is written and `put` throws `ERR_STORE_CONFLICT`. */
  readonly onlyIf?: ObjectCondition | undefined
  /**
   * Bound to the object: a change is refused by `get`. Names of a-z, 0-9 and `-` that do not begin with `edge-kms`,
   * values of visible ASCII; 2,048 bytes in all with the entry `edge-kms`.
   */
  readonly customMetadata?: Readonly<Record<string, string>> | undefined
  /** Exact length of a stream, bytes. Without it, a stream is uploaded in parts and its length is not bound. */
  readonly plaintextBytes?: number | undefined
}

/** Options of `rewrap`. */
export interface RewrapObjectOptions extends ObjectCallSignal {
  /** As with `EnvelopeCipher.rewrap`. */
  readonly verify?: 'open' | 'kms' | undefined
}
