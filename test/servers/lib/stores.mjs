/** Checks that every strong store must pass in its lane. */
import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { dataKeyStoreContract, keyValueStoreContract } from '../../../src/testing/index.ts'
import { repairLogContract, sharedCircuitContract } from '../../support/shared-state.ts'

/**
 * @param {(what: string, work: () => Promise<void>) => Promise<void>} check
 * @param {() => import('../../../src/index.ts').KeyValueStore} values
 * @param {() => import('../../../src/index.ts').DataKeyStore |
 *   Promise<import('../../../src/index.ts').DataKeyStore>} records an empty one each time
 */
export async function checkStores(check, values, records) {
  const subject = { create: values, elapse: sleep }
  for (const { name, run, skip } of keyValueStoreContract(values().capabilities, subject)) {
    assert.equal(skip, undefined)
    await check(`key-value store ${name}`, run)
  }
  for (const { name, run } of dataKeyStoreContract(records))
    await check(`data-key store ${name}`, run)
  for (const { name, run } of [...sharedCircuitContract(values), ...repairLogContract(records)])
    await check(`shared state ${name}`, run)
}
