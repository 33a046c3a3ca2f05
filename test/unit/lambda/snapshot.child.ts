// One execution environment: init, snapshot, restore, one message. Up to the snapshot all that it draws is
// the same in every run, so that two runs are two copies of one snapshot.
import { createHash } from 'node:crypto'
import { snapshotPoint, snapshotRuntime } from '../../../adapters/lambda/index.ts'
import { EncryptedEnvelope, EnvelopeCipher, type Runtime } from '../../../src/index.ts'
import { createLocalKms } from '../../../src/providers/local/index.ts'

const mode = process.argv[2]
let isRestored = false
let drawn = 0
const kernel = snapshotRuntime()

/** A generator whose state is in the snapshot, as that of Node is. */
function ownFill(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  for (let at = 0; at < bytes.length; at += 32) {
    bytes.set(
      createHash('sha256')
        .update(String(++drawn))
        .digest()
        .subarray(0, bytes.length - at),
      at,
    )
  }
  return bytes
}
const runtime: Runtime = {
  now: () => 1_767_225_600_000, // no key ends by its age
  randomFill: (bytes) =>
    isRestored && mode !== 'own-generator' ? kernel.randomFill(bytes) : ownFill(bytes),
}
const key = new Uint8Array(32).map((_, at) => at)
const kms = createLocalKms({ versions: [{ version: 1, key }], runtime })
const cipher = new EnvelopeCipher({ kms, runtime, cache: { ttlMs: 3_600_000 } })

const context = { tenant: 'acme' }
const before = await cipher.encryptText('init', { context })
if (mode !== 'nothing') await snapshotPoint({ clear: [cipher] })
isRestored = true
const text = await cipher.encryptText('after', { context })
const { commitment, headBytes } = EncryptedEnvelope.parse(text)
const bytes = Buffer.from(text.slice('ek1.'.length), 'base64url')
const hex = (part: Uint8Array) => Buffer.from(part).toString('hex')
const prefix = hex(bytes.subarray(headBytes, headBytes + 12))
console.log(JSON.stringify({ before, dataKey: hex(commitment), prefix }))
