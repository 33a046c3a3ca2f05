/**
 * A program for `node --expose-gc`: 1,000 customers in turn under one cipher whose cache and whose KMSs hold 100. Prints
 * what the heap grew by in KiB after the second round, and what is held then. Vitest's own heap grows with WebCrypto's calls.
 */
import { CachedKms, composeKms, EnvelopeCipher, kmsByContext } from '../../src/index.ts'
import { ScriptedKms } from './scripted-kms.ts'

const CUSTOMERS = 1_000
const HELD = 100
const kms = kmsByContext({
  keyFor: ({ tenant }) => tenant,
  create: (name) => composeKms(new ScriptedKms(name)),
  maxEntries: HELD,
})
const keys = new CachedKms({ kms, maxEntries: HELD })
const cipher = new EnvelopeCipher({ keys })

async function heapKiB(): Promise<number> {
  // Twice, and a turn for what finalizers let go.
  for (let i = 0; i < 2; i++) {
    await globalThis.gc?.({ execution: 'async' })
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  return process.memoryUsage().heapUsed / 1_024
}

async function round(): Promise<number> {
  for (let i = 0; i < CUSTOMERS; i++) {
    const context = { tenant: `customer-${String(i)}` }
    await cipher.decrypt(await cipher.encrypt(new Uint8Array(3), { context }), { context })
  }
  return heapKiB()
}

await round()
const before = await round()
await round()
const grownKiB = (await round()) - before
const { entries, evictions } = kms.stats()
console.log(JSON.stringify({ grownKiB, entries, evictions, dataKeys: keys.stats().entries }))
