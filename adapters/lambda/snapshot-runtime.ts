import { openSync, readSync } from 'node:fs'
import { type Bytes, KmsError, type Runtime } from '../../src/index.ts'
import { webRuntime } from '../../src/runtime/index.ts'

/**
 * Returns a clock and a source of random numbers for functions that are restored from a snapshot.
 *
 * `crypto.getRandomValues` of Node draws from a generator in the process, whose state is in the snapshot: two copies
 * may draw the same numbers. The kernel's generator is seeded again in each copy, so this reads `/dev/urandom`. Pass it as
 * `runtime` to every provider, cipher and cache.
 *
 * @throws KmsError `ERR_KMS_UNAVAILABLE` at the first use, if the kernel does not have that device
 */
export function snapshotRuntime(): Runtime {
  let device: number | undefined
  return {
    now: () => webRuntime.now(),
    randomFill(bytes) {
      try {
        device ??= openSync('/dev/urandom', 'r')
        return filled(bytes, device)
      } catch (cause) {
        const message = 'random numbers cannot be read from /dev/urandom'
        throw new KmsError('ERR_KMS_UNAVAILABLE', { message, cause, retryable: false })
      }
    },
  }
}

/** A device may give less than it was asked for, and bytes that were not filled would be known to everybody. */
function filled(bytes: Bytes, device: number): Bytes {
  for (let done = 0; done < bytes.length;) {
    const read = readSync(device, bytes, done, bytes.length - done, null)
    if (read <= 0) throw new Error('the device ended')
    done += read
  }
  return bytes
}
