/** Says of each of two invocations that run at once what it saw. */
import { EnvelopeCipher } from 'edge-kms'
import { withKms } from 'edge-kms/lambda'
import { EnvKeyProvider } from 'edge-kms/local'
import { setTimeout as sleep } from 'node:timers/promises'

let made = 0
let running = 0

export const handler = withKms(
  async ({ waitMs }, context, { signal, defer, cipher }) => {
    running += 1
    const together = running
    let deferred = false
    defer(sleep(waitMs / 2).then(() => (deferred = true)))
    const aborted = new Promise((resolve) => signal.addEventListener('abort', () => resolve(true)))
    const wasAborted = await Promise.race([aborted, sleep(waitMs, false)])
    running -= 1
    const id = /** @type {{ awsRequestId: string }} */ (/** @type {unknown} */ (context))
      .awsRequestId
    const own = (await cipher.decryptText(await cipher.encryptText(id))) === id
    return { together, wasAborted, made, deferred, own }
  },
  {
    create: () => {
      made += 1
      return { cipher: new EnvelopeCipher({ kms: new EnvKeyProvider(process.env) }) }
    },
  },
)
