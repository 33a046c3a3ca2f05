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

it('edge-kms/node takes the right certificate of several in one text', async () => {
  const { url } = await serve((_incoming, outgoing) => outgoing.writeHead(204).end(), tls)
  const ca = `# ours\n${cert}\n# and again\n${cert}`
  expect((await newNetwork({ ca }).fetch(url, {})).status).toBe(204)
})

it.each([
  ['an empty text, which would mean the list of Node', ''],
  ['an empty list', []],
  ['an empty text in a list', [cert, '']],
  ['text that is not a certificate', 'certificate'],
  ['a certificate that is damaged', cert.replace(/[A-Z]{3}/g, 'AAA')],
  ['a list of other values', [null]],
  ['bytes', Buffer.from(cert)],
  ['null', null],
  ['a number', 42],
])('edge-kms/node refuses %s as ca when the network is made', (_, ca) => {
  expect(() => newNetwork({ ca: ca as never })).toThrow(
    expect.objectContaining({
      code: 'ERR_KMS_CONFIG',
      message: expect.stringContaining('ca must be certificates in PEM'),
    }),
  )
})
