import {
  CachedKms,
  composeKms,
  EnvelopeCipher,
  type KeyManagementService,
} from '../../src/index.ts'
import { KmsAuditTrail, KmsMetrics, lineSink } from '../../src/observability/index.ts'
import { MemoryKeyValueStore } from '../../src/stores/index.ts'
import { newKms, newOptions, pattern } from '../fixtures.ts'
import type { Work } from '../suite.ts'

/** Operations that Node has in flight while a caller waits. */
export const AT_ONCE = 64

/** One data key for the whole run. */
const keyLimits = { encryptForMs: 86_400_000 }

/** A cipher over a KMS, and what it asks of it. */
export interface Side {
  readonly cipher: EnvelopeCipher
  readonly calls: () => number
}

/** The KMS alone, behind the cache that a cipher has by itself. */
export function bareSide(): Side {
  const { kms, calls } = counted(newKms())
  return { cipher: new EnvelopeCipher({ kms, cache: { ttlMs: 3_600_000 }, ...keyLimits }), calls }
}

/**
 * Everything that there is: cache with renewal and stale keys, deadline, audit, retries, a circuit that
 * is shared, bulkhead, timeouts, metrics.
 */
export function wholeSide(): Side {
  const { kms, calls } = counted(newKms())
  const observer = new KmsMetrics({ cache: () => ({ ...keys.stats() }) })
  const sink = lineSink(() => undefined)
  const chain = { macKey: new Uint8Array(32).fill(1) }
  const audit = new KmsAuditTrail({ mode: 'closed', sink, chain, observer })
  const circuitStore = new MemoryKeyValueStore()
  const stack = composeKms(kms, { preset: 'highSecurity', audit, observer, circuitStore })
  const keys: CachedKms = new CachedKms({ kms: stack, ttlMs: 3_600_000, ...keyLimits })
  return { cipher: new EnvelopeCipher({ keys }), calls }
}

/** 64 records of 256 bytes at the same time, written and read under a key that is held. */
export async function worksOf({
  cipher,
}: Side): Promise<{ readonly encrypt: Work; readonly decrypt: Work }> {
  const plaintext = pattern(256)
  const envelope = await cipher.encrypt(plaintext, newOptions())
  const together = (work: Work) => () => Promise.all(Array.from({ length: AT_ONCE }, work))
  return {
    encrypt: together(() => cipher.encrypt(plaintext, newOptions())),
    decrypt: together(() => cipher.decrypt(envelope, newOptions())),
  }
}

function counted(inner: KeyManagementService): {
  readonly kms: KeyManagementService
  readonly calls: () => number
} {
  let calls = 0
  const kms = new Proxy(inner, {
    get(target, name): unknown {
      const value: unknown = Reflect.get(target, name, target)
      if (typeof value !== 'function') return value
      return (...args: unknown[]): unknown => {
        // Answered from configuration: no call to a KMS.
        if (name !== 'canUnwrap') calls += 1
        return Reflect.apply(value, target, args) as unknown
      }
    },
  })
  return { kms, calls: () => calls }
}
