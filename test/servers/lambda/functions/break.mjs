/** A streamed answer that fails: at once, or after its first piece. */
import { EnvelopeCipher } from 'edge-kms'
import { withKmsStream } from 'edge-kms/lambda'
import { EnvKeyProvider } from 'edge-kms/local'

export const handler = withKmsStream(
  async ({ rawPath }, _context, { cipher, signal }) => {
    const sealed = new Blob([new Uint8Array(400_000).fill(120)])
      .stream()
      .pipeThrough(cipher.encryptStream({ signal }))
    const bytes = new Uint8Array(await new Response(sealed).arrayBuffer())
    const at = rawPath === '/early' ? 300 : rawPath === '/late' ? 300_000 : -1
    if (at >= 0) bytes[at] ^= 1
    const body = new Blob([bytes]).stream().pipeThrough(cipher.decryptStream({ signal }))
    return { statusCode: 200, headers: { 'content-type': 'text/plain' }, body }
  },
  { create: () => ({ cipher: new EnvelopeCipher({ kms: new EnvKeyProvider(process.env) }) }) },
)
