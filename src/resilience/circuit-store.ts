import { utf8Length } from '../bytes/index.ts'
import { wrongOption } from '../checks/index.ts'
import type { KeyValueStore } from '../ports/index.ts'

/**
 * Refuses a store that cannot hold a circuit.
 *
 * @throws KmsError `ERR_KMS_CONFIG` if it has no compare-and-swap or no room for the longest key
 */
export function demandCircuitStore(store: KeyValueStore, longestKey: string): void {
  const { capabilities, get, compareAndSwap } = Object(store) as Partial<KeyValueStore>
  const isStore = Object(capabilities) === capabilities && capabilities !== undefined
  if (!isStore || get === undefined || compareAndSwap === undefined)
    throw wrongOption('store', 'a KeyValueStore', store)
  if (!capabilities.compareAndSwap) throw wrongOption('store', 'a store with compare-and-swap')
  const { maxKeyBytes } = capabilities as Partial<typeof capabilities>
  const bytes = utf8Length(longestKey)
  if (maxKeyBytes === undefined || maxKeyBytes < bytes)
    throw wrongOption('store', `a store for keys of ${String(bytes)} bytes`, maxKeyBytes)
}
