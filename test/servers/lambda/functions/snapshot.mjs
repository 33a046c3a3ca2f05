/** A function with SnapStart: encrypts in its init phase, which nothing of the copies may remember. */
import { EncryptedEnvelope, EnvelopeCipher } from 'edge-kms'
import { snapshotPoint, snapshotRuntime, withKms } from 'edge-kms/lambda'
import { EnvKeyProvider } from 'edge-kms/local'

const cipher = new EnvelopeCipher({
  kms: new EnvKeyProvider(process.env),
  runtime: snapshotRuntime(),
})
const keyOf = (text) => Buffer.from(EncryptedEnvelope.parse(text).commitment).toString('hex')
const init = keyOf(await cipher.encryptText('init'))

export const handler = withKms(
  async (_event, _context, { cipher, signal }) => ({
    init,
    now: keyOf(await cipher.encryptText('now', { signal })),
  }),
  { create: () => ({ cipher }) },
)

const fails = (when) => () => {
  if (process.env.FAIL === when) throw new Error(`${when} fails`)
}
await snapshotPoint({ clear: [cipher], before: fails('before'), after: fails('after') })
