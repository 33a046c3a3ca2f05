import { type Bytes, decodeUtf8 } from '../../src/bytes/index.ts'
import type { UploadedPart } from './object-store.ts'

const ENTITIES: Readonly<Record<string, string>> = {
  '&quot;': '"',
  '&#34;': '"',
  '&amp;': '&',
  '&apos;': "'",
  '&#39;': "'",
  '&lt;': '<',
  '&gt;': '>',
}

/**
 * Returns the text of the first element of this name, `undefined` if there is none. S3's answers have no attributes
 * on these elements, and text in them is escaped.
 */
export function elementOf(body: Bytes, name: string): string | undefined {
  const text = decodeUtf8(body) ?? ''
  const found = new RegExp(`<${name}>([^<]*)</${name}>`).exec(text)?.[1]
  return found === undefined ? undefined : unescaped(found)
}

/**
 * Returns the texts of all elements of this name, which is that of `elementOf`.
 *
 * @param parent - the element that they are in
 */
export function elementsOf(body: Bytes, parent: string, name: string): readonly string[] {
  const found = new RegExp(`<${parent}>.*?<${name}>([^<]*)</${name}>`, 'gs')
  return [...(decodeUtf8(body) ?? '').matchAll(found)].map(([, text = '']) => unescaped(text))
}

/** Whether S3 answered an error, which it also does under status 200. */
export function isErrorBody(body: Bytes): boolean {
  return /<Error[\s>]/.test(decodeUtf8(body) ?? '')
}

/** Returns the body of CompleteMultipartUpload. */
export function completeBody(parts: readonly UploadedPart[]): string {
  const rows = parts.map(
    ({ partNumber, etag }) =>
      `<Part><PartNumber>${String(partNumber)}</PartNumber><ETag>&quot;${escapeXml(etag)}&quot;</ETag></Part>`,
  )
  return `<CompleteMultipartUpload xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${rows.join('')}</CompleteMultipartUpload>`
}

function escapeXml(text: string): string {
  return text.replace(/[&<>"']/g, (one) => `&#${String(one.charCodeAt(0))};`)
}

function unescaped(text: string): string {
  return text.replace(/&(?:quot|amp|apos|lt|gt|#3[49]);/g, (entity) => ENTITIES[entity] ?? entity)
}
