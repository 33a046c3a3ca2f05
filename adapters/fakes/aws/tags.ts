import type { JsonObject } from '../../../src/http/index.ts'
import { Refusal } from './errors.ts'
import type { KmsInput } from './kms-input.ts'
import type { StoredKey } from './key-store.ts'
import type { KmsCall } from './kms-service.ts'
import { authorize } from './permissions.ts'

/** Developer Guide, Tagging keys: tags of a key. */
const MAX_TAGS = 50

/** Rules for the key of a tag: API_Tag. */
export const TAG_KEY = { min: 1, max: 128 }

/**
 * Returns the tags of a request.
 *
 * @throws Refusal `validation`, `tag` for a key that appears twice or is reserved
 */
export function tagsOf(input: KmsInput, rules = {}): Map<string, string> {
  const tags = new Map<string, string>()
  for (const tag of input.structures('Tags', rules)) {
    const key = tag.text('TagKey', TAG_KEY)
    demandUnreserved(key)
    if (tags.has(key)) throw new Refusal('tag', 'Duplicate tag keys')
    tags.set(key, tag.text('TagValue', { max: 256 }))
  }
  demandFew(tags.size)
  return tags
}

/**
 * Returns the tags for a key that is to be made: they need the permission to tag, beside that to make it.
 *
 * @throws Refusal `validation`, `tag`, `accessDenied`
 */
export function keyTagsOf(call: KmsCall): Map<string, string> {
  const tags = tagsOf(call.input)
  if (tags.size > 0) authorize(call, undefined, 'TagResource')
  return tags
}

/** Tags as answers have them. */
export function tagRows({ tags }: StoredKey): readonly JsonObject[] {
  return [...tags].map(([TagKey, TagValue]) => ({ TagKey, TagValue }))
}

/** @throws Refusal `tag` */
export function demandUnreserved(key: string): void {
  if (!/^aws:/i.test(key)) return
  throw new Refusal('tag', 'Tags beginning with aws: are reserved')
}

/** @throws Refusal `tag` */
export function demandFew(count: number): void {
  if (count > MAX_TAGS) throw new Refusal('tag', 'Too many tags')
}
