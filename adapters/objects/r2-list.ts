import type { BoundedCalls } from './bounded-calls.ts'
import type { ObjectStore } from './object-store.ts'
import type { R2BucketBinding } from './r2-binding.ts'
import { r2Work } from './r2-work.ts'

/** Returns the list of a bucket's keys, `undefined` if the binding cannot list. */
export function r2List(binding: R2BucketBinding, calls: BoundedCalls): ObjectStore['list'] {
  if (typeof binding.list !== 'function') return undefined
  const list = binding.list.bind(binding)
  return async ({ prefix, after, limit, signal }) => {
    const options = { prefix, limit, ...(after !== undefined && { startAfter: after }) }
    const found = await calls.repeated('list', signal, () => r2Work(() => list(options)))
    return { keys: found.objects.map(({ key }) => key), more: found.truncated }
  }
}
