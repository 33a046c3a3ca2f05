/** A process that knows no more than the configuration: opens the envelope that it is given. */
import { EnvelopeCipher } from '../../../src/index.ts'
import { createAwsKms } from '../../../src/providers/aws-kms/index.ts'

const { options, envelope, message } = JSON.parse(process.argv[2] ?? '')
const cipher = new EnvelopeCipher({ kms: createAwsKms(options) })
const plaintext = await cipher.decrypt(new Uint8Array(Buffer.from(envelope, 'base64')), message)
process.stdout.write(Buffer.from(plaintext).toString('base64'))
