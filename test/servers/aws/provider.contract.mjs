// The provider against a server that somebody else wrote: the suite of test/platforms from the source, and an
// envelope that another process opens.
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { EnvelopeCipher, MultiKms } from '../../../src/index.ts'
import { createAwsKms } from '../../../src/providers/aws-kms/index.ts'
import { createLocalKms } from '../../../src/providers/local/index.ts'
import { node24, toolEnv } from '../../../tools/lib/folders.mjs'
import { awsCases } from '../../platforms/providers/aws.ts'
import { library } from '../lib/source.mjs'

const runFile = promisify(execFile)

/** @param {any} target @param {any} tools */
export async function run(target, { check, skip }) {
  const { endpoint, region, credentials } = target
  const common = { endpoint, region, credentials, allowHttpLoopback: true, timeoutMs: 10_000 }
  const aws = () => createAwsKms({ ...common, keyId: target.keyArn })
  for (const one of awsCases(library, target)) {
    if (one.skip === undefined) await check(one.name, one.run)
    else skip(one.name, one.skip)
  }
  const message = { context: { tenant: 'acme' }, aad: { row: '42' } }
  const plaintext = new TextEncoder().encode('4111 1111')
  await check(
    'an envelope moves from the local key to AWS, where a cold process opens it, and back',
    async () => {
      const key = crypto.getRandomValues(new Uint8Array(32))
      const local = createLocalKms({ versions: [{ version: 1, key }] })
      const envelope = await new EnvelopeCipher({ kms: local }).encrypt(plaintext, message)
      const move = (/** @type {any} */ to, /** @type {any} */ from) =>
        new EnvelopeCipher({ kms: new MultiKms({ read: [to, from], write: [to] }) })
      const context = { context: message.context }
      const onAws = await move(aws(), local).rewrap(envelope, context)
      same(onAws.slice(-37), envelope.slice(-37)) // nonce, ciphertext and tag
      same(await inAnotherProcess({ ...common, keyId: target.keyArn }, onAws, message), plaintext)
      const back = await move(local, aws()).rewrap(onAws, context)
      same(back.slice(-37), envelope.slice(-37))
      same(await new EnvelopeCipher({ kms: local }).decrypt(back, message), plaintext)
    },
  )
}

/** Returns what a new process decrypts. @param {object} options @param {Uint8Array} envelope @param {object} message */
async function inAnotherProcess(options, envelope, message) {
  const input = { options, message, envelope: Buffer.from(envelope).toString('base64') }
  const file = fileURLToPath(new URL('cold-reader.mjs', import.meta.url))
  const { stdout } = await runFile(node24, [file, JSON.stringify(input)], { env: toolEnv() })
  return new Uint8Array(Buffer.from(stdout, 'base64'))
}

/** @param {Uint8Array} a @param {Uint8Array} b */
function same(a, b) {
  if (Buffer.compare(a, b) !== 0) throw new Error('the bytes differ')
}
