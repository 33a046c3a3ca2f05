import { configError } from '../../checks/index.ts'
import type { Runtime } from '../../ports/index.ts'
import { creationTime } from '../data-key-limits.ts'
import type { SharedDataKeys, SharedLevelHost } from '../shared-level.ts'
import type { SharedDataKeysOptions } from './options.ts'
import { sharedSettings } from './settings.ts'
import { StoreLevel } from './store-level.ts'

/**
 * Returns the shared level of a cache of data keys. A new isolate then encrypts under a data key that another one
 * made, which costs one unwrap, instead of making its own.
 *
 * It helps writers. A cache over a KMS that only decrypts neither makes nor adopts keys; it only receives
 * invalidations. A reader of an inline message finds the wraps in the message and asks the KMS once for each data
 * key, as without a shared level. The store holds only wrapped keys: a plaintext key never leaves the process.
 *
 * A failure of the store never fails a call. Forged, planted, stale and foreign values are refused and counted
 * (`CacheStats` of `edge-kms`). A store that is down or slow costs `storeTimeoutMs` once; the cache then leaves it
 * alone for 5 s and makes keys as if without a shared level.
 *
 * @remarks Security: an attacker who can write the store can make isolates drop their keys or make their own, which
 * costs KMS calls. Within `encryptForMs` they can also restore an older value of the same partition. With
 * `trustedStore` they can make writers encrypt under a key that they know, if they can also wrap it with the KMS. A
 * record holds the same part of the context in clear as a message, so never `requiredContextKeys`.
 *
 * A process that may unwrap can adopt a key: to stop a writer, revoke its right to decrypt, not only the right to
 * make keys.
 *
 * @throws KmsError `ERR_KMS_CONFIG`: neither or both of `storeAuthKey` and `trustedStore`, a store that cannot
 * do what `lease` asks, a number out of range; and later, from the cache's constructor, for a KMS that does not
 * authenticate the context and no `storeAuthKey`, or one that cannot unwrap
 *
 * @example
 * ```ts
 * import { CachedKms, EnvelopeCipher, type KeyManagementService } from 'edge-kms'
 * import { sharedDataKeys } from 'edge-kms/shared-keys'
 * import { DurableObjectKeyValueStore, type StoreObjectNamespace } from 'edge-kms/workers'
 *
 * export function createCipher(
 *   kms: KeyManagementService,
 *   namespace: StoreObjectNamespace,
 *   storeAuthKey: Uint8Array,
 * ): EnvelopeCipher {
 *   const store = new DurableObjectKeyValueStore({ namespace })
 *   const shared = sharedDataKeys({ store, partition: 'production', storeAuthKey })
 *   return new EnvelopeCipher({ keys: new CachedKms({ kms, shared }) })
 * }
 * ```
 */
export function sharedDataKeys(options: SharedDataKeysOptions): SharedDataKeys {
  const settings = sharedSettings(options)
  return Object.freeze({
    attach: (host) => {
      const { bindsContext, usage } = host.capabilities
      if (usage === 'encrypt')
        throw configError('shared requires a kms that unwraps, got usage encrypt: leave shared out')
      if (!bindsContext && settings.storeAuthKey === undefined) {
        throw configError('storeAuthKey is required: this kms does not authenticate the context') // W5.11
      }
      return new StoreLevel(settings, withCheckedClock(host))
    },
  } satisfies SharedDataKeys)
}

/** A clock that does not answer a time is an error of the configuration here, too, and not of arithmetic. */
function withCheckedClock(host: SharedLevelHost): SharedLevelHost {
  const { runtime } = host
  const checked: Runtime = {
    now: () => {
      const now = runtime.now()
      creationTime(now)
      return now
    },
    randomFill: (bytes) => runtime.randomFill(bytes),
  }
  return {
    ...host,
    runtime: checked,
    get entries() {
      return host.entries
    },
  }
}
