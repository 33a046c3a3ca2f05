/**
 * Whether it is an ETag without quotes that a condition can name: 1 to 256 visible ASCII characters. A quote or a line
 * break would end a header, and `*` stands for every object.
 */
export function isEtag(etag: unknown): etag is string {
  return typeof etag === 'string' && /^(?!\*$)[\x21\x23-\x7e]{1,256}$/.test(etag)
}
