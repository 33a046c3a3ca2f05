import { configError } from '../checks/index.ts'

/** Policies that never remove a key without a time to live, as those of records are. */
const KEEPS = /^(?:noeviction|volatile-[a-z]+)$/

/**
 * What `INFO` says, held against what a system of record needs. The policy of `fsync` is not in it.
 *
 * @throws KmsError `ERR_KMS_CONFIG`
 * @see https://redis.io/docs/latest/commands/info/
 */
export function demandDurable(info: unknown): void {
  const text = typeof info === 'string' ? info : ''
  if (factOf(text, 'aof_enabled') !== '1') {
    throw configError('this Redis keeps no append-only file, or does not say so')
  }
  const unbounded = factOf(text, 'maxmemory') === '0'
  if (!unbounded && !KEEPS.test(factOf(text, 'maxmemory_policy'))) {
    throw configError('this Redis may evict records, or does not say so')
  }
}

function factOf(info: string, name: string): string {
  return new RegExp(`^${name}:([^\\r\\n]*)\\r?$`, 'm').exec(info)?.[1] ?? ''
}
