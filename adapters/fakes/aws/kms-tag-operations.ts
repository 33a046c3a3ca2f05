import { demandKept, type KmsOperation } from './kms-service.ts'
import { pageOf } from './pages.ts'
import { keyOf } from './permissions.ts'
import { demandFew, demandUnreserved, TAG_KEY, tagRows, tagsOf } from './tags.ts'

/** @see https://docs.aws.amazon.com/kms/latest/APIReference/API_TagResource.html */
export const tagResource: KmsOperation = (call) => {
  const tags = tagsOf(call.input, { required: true })
  const key = keyOf(call)
  demandKept(key)
  demandFew(new Set([...key.tags.keys(), ...tags.keys()]).size)
  for (const [name, value] of tags) key.tags.set(name, value)
  return {}
}

/** @see https://docs.aws.amazon.com/kms/latest/APIReference/API_UntagResource.html */
export const untagResource: KmsOperation = (call) => {
  const names = call.input.texts('TagKeys', { ...TAG_KEY, required: true })
  names.forEach(demandUnreserved)
  const key = keyOf(call)
  demandKept(key)
  for (const name of names) key.tags.delete(name)
  return {}
}

/** @see https://docs.aws.amazon.com/kms/latest/APIReference/API_ListResourceTags.html */
export const listResourceTags: KmsOperation = (call) =>
  pageOf(call, 'Tags', tagRows(keyOf(call)), { usual: 50, most: 50 })
