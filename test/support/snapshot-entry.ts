// The program inside a Node startup snapshot: see test/unit/data-keys/snapshot.test.ts. Bundled by
// the test, warmed while the snapshot is built, used again by each process that starts from it.
import { writeSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { startupSnapshot } from 'node:v8'
import { EnvelopeCipher } from '../../src/index.ts'
import { MemoryDataKeyStore } from '../../src/stores/index.ts'
import { OPTIONS, PlainKms, through } from '../unit/wire/fixture.ts'

const plaintext = new Uint8Array(5)

/** Another DEK each time; a wrap is the DEK said backwards, so no CryptoKey is left in the KMS. */
class RandomKms extends PlainKms {
  override async generateDataKey(
    ...args: Parameters<PlainKms['generateDataKey']>
  ): ReturnType<PlainKms['generateDataKey']> {
    this.dek = crypto.getRandomValues(new Uint8Array(32))
    return super.generateDataKey(...args)
  }
}

const kms = new RandomKms()
const cipher = new EnvelopeCipher({ kms, dataKeyStore: new MemoryDataKeyStore() })

async function messages(): Promise<string[]> {
  const made: Uint8Array[] = [
    await cipher.encrypt(plaintext, OPTIONS),
    await cipher.encrypt(plaintext, OPTIONS),
    await through(cipher.encryptStream(OPTIONS), plaintext),
    await cipher.encrypt(plaintext, { ...OPTIONS, form: 'reference' }),
  ]
  const [many] = await cipher.encryptMany([{ plaintext, context: { tenant: 'other' } }])
  if (many?.ok === true) made.push(many.value)
  for (const one of made.slice(0, 2)) await cipher.decrypt(one, OPTIONS)
  // A header that fails is remembered too, and must be forgotten.
  const bad = made[0]!.slice()
  bad[40]! ^= 1
  await cipher.decrypt(bad, OPTIONS).catch(() => undefined)
  return made.map((one) => Buffer.from(one).toString('hex'))
}

async function warm(): Promise<void> {
  writeSync(1, JSON.stringify(await messages()))
  kms.dek = new Uint8Array(32)
  if (process.env['SNAPSHOT_KEEPS_KEYS'] !== '1') cipher.clear()
  // Node refuses a snapshot in which a CryptoKey is alive, so what was dropped must be collected.
  for (let i = 0; i < 5; i++) {
    await pause(5)
    globalThis.gc?.()
  }
}

startupSnapshot.setDeserializeMainFunction(() => {
  void messages().then((made) => writeSync(1, JSON.stringify(made)))
})
void warm()
