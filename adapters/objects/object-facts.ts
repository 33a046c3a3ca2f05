import type { WrittenObject } from './object-store.ts'
import type { ObjectFacts } from './object-types.ts'

/** Returns what every answer says of the version. */
export function factsOf(
  key: string,
  { etag, version, uploaded, size }: WrittenObject & { readonly size: number },
): ObjectFacts {
  return {
    ...{ key, etag, httpEtag: `"${etag}"`, envelopeBytes: size },
    ...(version !== undefined && { version }),
    ...(uploaded !== undefined && { uploaded }),
  }
}
