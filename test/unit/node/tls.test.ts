import { readFileSync } from 'node:fs'
import { afterEach, expect, it, vi } from 'vitest'
import { newNetwork, serve } from './server.ts'

const fixture = (name: string): string =>
  readFileSync(new URL(`../../fixtures/tls/${name}`, import.meta.url), 'utf8')
const cert = fixture('certificate.pem')
const tls = { key: fixture('key.pem'), cert }

afterEach(() => vi.unstubAllEnvs())

it.each(['', '0'])(
  'R12 edge-kms/node refuses a certificate that nobody vouches for, NODE_TLS_REJECT_UNAUTHORIZED=%s',
  async (value) => {
    vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', value)
    let requests = 0
    const { url } = await serve(() => (requests += 1), tls)
    await expect(newNetwork().fetch(url, {})).rejects.toMatchObject({
      code: 'DEPTH_ZERO_SELF_SIGNED_CERT',
    })
    expect(requests).toBe(0)
  },
)

it('edge-kms/node takes a certificate of an authority that it was given', async () => {
  const { url } = await serve((_incoming, outgoing) => outgoing.writeHead(204).end(), tls)
  expect((await newNetwork({ ca: [cert] }).fetch(url, {})).status).toBe(204)
})
