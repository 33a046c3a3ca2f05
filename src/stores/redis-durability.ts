import { configError } from '../checks/index.ts'

/** Policies that never remove a key without a time to live, as those of records are. */
const KEEPS = /^(?:noeviction|volatile-[a-z]+)$/

/**
 * Checks an answer of `INFO` for a system of record. The policy of `fsync` is not in it.
 *
 * @throws KmsError `ERR_KMS_CONFIG`
 * @see https://redis.io/docs/latest/commands/info/
 */
export function demandDurable(info: unknown): void {
  const text = typeof info === 'string' ? info : ''
  const aof = factOf(text, 'aof_enabled')
  if (aof !== '1') {
    throw configError(`aof_enabled of Redis must be 1, got ${aof}: set appendonly yes`)
  }
  const unbounded = factOf(text, 'maxmemory') === '0'
  const policy = factOf(text, 'maxmemory_policy')
  if (!unbounded && !KEEPS.test(policy)) {
    throw configError(
      `maxmemory_policy of Redis must be noeviction or volatile-*, got ${policy}: it may evict records`,
    )
  }
}

/** Returns the value of one line, or `nothing`. */
function factOf(info: string, name: string): string {
  return new RegExp(`^${name}:([^\\r\\n]+)\\r?$`, 'm').exec(info)?.[1] ?? 'nothing'
}
