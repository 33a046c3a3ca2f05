import type { ObjectListing, ObjectPage } from './object-store.ts'
import type { S3Client } from './s3-client.ts'
import { elementOf, elementsOf } from './s3-xml.ts'

/**
 * Returns one page of keys. They travel escaped, because XML cannot hold every character of a key.
 *
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html
 */
export async function listS3(
  client: S3Client,
  { prefix, after, limit, signal }: ObjectListing,
): Promise<ObjectPage> {
  const operation = 'ListObjectsV2'
  const { body } = await client.send({
    operation,
    method: 'GET',
    key: '',
    query: {
      'list-type': '2',
      'encoding-type': 'url',
      'max-keys': String(limit),
      ...(prefix !== '' && { prefix }),
      ...(after !== undefined && { 'start-after': after }),
    },
    signal,
  })
  const wrong = (message: string): Error => client.calls.wrongAnswer(operation, message)
  const more = elementOf(body, 'IsTruncated')
  if (more !== 'true' && more !== 'false') throw wrong('the answer has no IsTruncated')
  const keys = elementsOf(body, 'Contents', 'Key').map((key) => {
    const text = plainKey(key)
    if (text === undefined) throw wrong('the answer has a key that is not escaped')
    return text
  })
  return { keys, more: more === 'true' }
}

/** S3 writes a space as `+`. */
function plainKey(escaped: string): string | undefined {
  try {
    return decodeURIComponent(escaped.replaceAll('+', '%20'))
  } catch {
    return undefined
  }
}
