// `npm start`: the Worker of wrangler.toml in workerd on this machine, with an embedded local key.
// Nothing is fetched from anywhere: it works offline.
import { join } from 'node:path'
import { bindingsOf } from './start/bindings.mjs'
import { readAddress } from './start/address.mjs'
import { bundleWorker, readWrangler } from './start/bundle.mjs'
import { serve } from './start/serve.mjs'
import { StartError } from './start/start-error.mjs'

const root = join(import.meta.dirname, '..')

try {
  const address = await readAddress(process.env)
  const { main, compatibilityDate } = readWrangler(root)
  const { bindings, about } = bindingsOf(root, process.env)
  const script = await bundleWorker(root, main)
  const { url, stop } = await serve({ address, script, compatibilityDate, bindings })
  console.log(greeting(url, about))
  for (const signal of ['SIGINT', 'SIGTERM']) {
    process.once(signal, () => {
      void stop().then(() => process.exit(0))
    })
  }
} catch (error) {
  if (!(error instanceof StartError)) throw error
  console.error(`edge-kms: ${error.message}`)
  process.exitCode = 1
}

/**
 * @param {string} url
 * @param {readonly string[]} about
 */
function greeting(url, about) {
  const maps = `-H 'Edge-Kms-Context: {"tenant":"acme"}' -H 'Edge-Kms-Aad: {"file":"README.md"}'`
  const curl = 'curl -sSf -X POST'
  return [
    `edge-kms listens on ${url} (workerd). It asks nobody who they are: keep it on this machine.`,
    ...about,
    '',
    'Encrypt any file, and decrypt it again:',
    '',
    `  ${curl} ${maps} -T README.md -o README.md.ek ${url}/v1/encrypt`,
    `  ${curl} ${maps} -T README.md.ek -o README.md.out ${url}/v1/decrypt`,
    '',
    'Stop with Ctrl+C.',
  ].join('\n')
}
