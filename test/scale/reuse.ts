/**
 * R19 in full: 1,000,000 encrypts with a data key for each message, for 100 and for 10,000 cost exactly
 * 1,000,000, 10,000 and 100 KMS calls. The KMS is free here, the derivations and AEAD calls are real:
 * ten minutes, most of them for a data key per message. `.ci/long reuse` runs it.
 */
import { CachedKms, EnvelopeCipher } from '../../src/index.ts'
import { CountingKms } from '../unit/envelope/fixture.ts'
import { PlainKms } from '../unit/wire/fixture.ts'

const ENCRYPTS = 1_000_000
const AT_ONCE = 8
const plaintext = new TextEncoder().encode('4111 1111')
const options = { context: { tenant: 'acme' }, aad: { row: '42' } }

let failed = 0
for (const maxMessages of [10_000, 100, 1]) {
  const kms = new CountingKms(new PlainKms())
  const cipher = new EnvelopeCipher({ keys: new CachedKms({ kms, maxMessages }) })
  const started = performance.now()
  let left = ENCRYPTS
  const lane = async (): Promise<void> => {
    while (left > 0) {
      left -= 1
      await cipher.encrypt(plaintext, options)
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, lane))
  const right =
    kms.calls.length === ENCRYPTS / maxMessages && kms.count('generate') === kms.calls.length
  const seconds = Math.round((performance.now() - started) / 1_000)
  if (!right) failed += 1
  console.log(
    `${right ? 'ok' : 'FAILED'} R19 reuse ${String(maxMessages)}: ${String(kms.calls.length)} KMS calls ` +
      `for ${String(ENCRYPTS)} encrypts, ${String(seconds)} s`,
  )
}
console.log(`reuse: ${String(3 - failed)} passed, ${String(failed)} failed`)
process.exitCode = failed === 0 ? 0 : 1
