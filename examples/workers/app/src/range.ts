import type { ObjectRange } from 'edge-kms/objects'

const ONE_RANGE = /^bytes=(\d{0,15})-(\d{0,15})$/

/**
 * Returns the range of a `Range` header. `undefined` means the whole file: without a header, and for a header that is
 * malformed or names several ranges, which HTTP allows a server to ignore.
 */
export function parseRange(header: string | null): ObjectRange | undefined {
  const [, from = '', to = ''] = ONE_RANGE.exec(header ?? '') ?? []
  if (from === '' && to === '') return undefined
  if (from === '') return { suffix: Number(to) }
  if (to === '') return { offset: Number(from) }
  const [first, last] = [Number(from), Number(to)]
  return last < first ? undefined : { offset: first, length: last - first + 1 }
}
