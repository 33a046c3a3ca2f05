/** Reads what the user set, serves, and says how to use it; what the user can mend has no stack. */
import { join } from 'node:path'
import { readAddress } from './address.mjs'
import { bindingsOf } from './bindings.mjs'
import { bundleWorker, readWrangler } from './bundle.mjs'
import { greeting } from './greeting.mjs'
import { serve } from './serve.mjs'
import { StartError } from './start-error.mjs'

const root = join(import.meta.dirname, '..', '..')

// Before miniflare's own handlers, which end with a code that npm reports as a failure. Leaving is
// enough: it stops workerd on exit, and an answer that was on its way breaks off.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.once(signal, () => {
    console.log('edge-kms: stopped')
    process.exit(0)
  })
}

try {
  const address = await readAddress(process.env)
  const { main, compatibilityDate, durableObjects } = readWrangler(root)
  const { bindings, about } = bindingsOf(root, process.env)
  const script = await bundleWorker(root, main)
  const url = await serve({ address, script, compatibilityDate, durableObjects, bindings })
  console.log(greeting(url, about))
} catch (error) {
  if (!(error instanceof StartError)) throw error
  console.error(`edge-kms: ${error.message}`)
  process.exitCode = 1
}
