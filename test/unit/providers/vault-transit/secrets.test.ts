import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import { EnvelopeCipher, isKmsError } from '../../../../src/index.ts'
import {
  createVaultTransitKms,
  vaultAppRole,
  type VaultLogin,
  vaultAwsIam,
  vaultJwt,
  vaultToken,
} from '../../../../src/providers/vault-transit/index.ts'
import { type Answer, codeOf, deferred, testPorts, turn } from '../../credentials/aws/ports.ts'
import { context, endpoint, KEY_INFO } from './over.ts'

const dek = 'canaryDataKeyOf32Bytes0123456789'
const sources: Readonly<Record<string, () => VaultLogin>> = {
  token: () => vaultToken('canary-token'),
  'a renewed token': () => vaultToken('canary-token', { renew: true }),
  approle: () => vaultAppRole({ roleId: 'canary-role', secretId: 'canary-secret' }),
  jwt: () =>
    vaultJwt({ role: 'ci', jwt: () => Promise.resolve('canaryHead.canaryBody.canarySign') }),
  aws: () =>
    vaultAwsIam({
      credentials: {
        accessKeyId: 'AKID',
        secretAccessKey: 'canarySecret01',
        sessionToken: 'canaryToken01',
      },
    }),
}

/** A server that answers everything right. */
const healthy: Answer = ({ url, method }) => {
  if (url.includes('/auth/'))
    return Response.json({
      auth: { client_token: 'canary-issued', lease_duration: 60, renewable: true },
    })
  if (method === 'GET' || url.endsWith('/rotate')) return Response.json({ data: KEY_INFO })
  const data = { ciphertext: `vault:v3:${'A'.repeat(80)}`, plaintext: btoa(dek), key_version: 3 }
  return Response.json({ data })
}

const echo = ({ body, headers }: Parameters<Answer>[0]) => `${body} ${inspect([...headers])}`
/** Servers that are not well, and say what they were sent. */
const sick: Readonly<Record<string, Answer>> = {
  'an error with all that was sent': (request) =>
    Response.json({ errors: [echo(request)] }, { status: 400 }),
  'a denial with all that was sent': (request) =>
    Response.json({ errors: [echo(request)] }, { status: 403 }),
  'a page with all that was sent': (request) => new Response(echo(request), { status: 502 }),
  'a success that is none': (request) => new Response(echo(request)),
  'data that is what was sent': (request) =>
    Response.json({ data: { ciphertext: echo(request), plaintext: echo(request) } }),
  'a redirect with all that was sent': (request) =>
    new Response(null, {
      status: 307,
      headers: { location: `https://x.example/?${encodeURIComponent(echo(request))}` },
    }),
  'no connection': (request) => {
    throw new TypeError(echo(request), { cause: new Error(echo(request)) })
  },
}

async function useAll(auth: VaultLogin, answer: Answer) {
  const ports = testPorts(answer)
  const { runtime, network } = ports
  const kms = createVaultTransitKms({ endpoint, key: 'app', auth, runtime, network })
  const cipher = new EnvelopeCipher({ kms, cache: false })
  const seen: string[] = []
  const look = (value: unknown) => {
    const plain = JSON.stringify(value) ?? ''
    seen.push(inspect(value, { depth: 12, showHidden: true, getters: true }), String(value), plain)
  }
  const uses: readonly (() => Promise<unknown>)[] = [
    () =>
      cipher.encryptText('canaryPlaintext', {
        context: { tenant: 'acme' },
        aad: { row: 'canaryAad' },
      }),
    () => kms.generateDataKey({ context: { 'edge-kms:dk': 'salt.1' } }),
    async () => {
      const { plaintext, wraps } = await kms.generateDataKey({ context })
      look(plaintext)
      return kms.unwrapMany([{ wraps, context }], {})
    },
    () => kms.healthCheck({}),
    () => kms.rotateKey({}),
  ]
  let failures = 0
  for (const use of uses) {
    try {
      look(await use())
    } catch (error) {
      failures += 1
      look(error)
    }
  }
  look(kms)
  look(cipher)
  look(auth)
  seen.push(...ports.sent.map(({ url }) => url))
  // Stacks name files, and one of the suite's own has this name.
  const text = seen.join('\n').replace(/^\s+at .*$/gm, '')
  return { failures, leaks: /canary/i.test(text) || text.includes(btoa(dek).slice(4, 30)), ports }
}

describe('R12 Vault transit: no secret comes out', () => {
  it.each(Object.keys(sources))('of %s that works', async (name) => {
    const { leaks, ports } = await useAll(sources[name]!(), healthy)
    expect(leaks).toBe(false)
    // The canaries were there to be found: this is what was sent.
    expect(ports.sent.map((request) => echo(request)).join()).toMatch(/canary/)
  })

  const rows = Object.keys(sources).flatMap((source) =>
    Object.keys(sick).map((what) => [source, what] as const),
  )
  it.each(rows)('of %s, by %s', async (source, what) => {
    const onTransit: Answer = (request, n) =>
      request.url.includes('/auth/') ? healthy(request, n) : sick[what]!(request, n)
    for (const answer of [onTransit, sick[what]!]) {
      const { leaks, failures } = await useAll(sources[source]!(), answer)
      expect([leaks, failures > 0]).toEqual([false, true])
    }
  })
})

describe('R21 Vault transit: bodies that hang, lie or do not end', () => {
  const half = () =>
    new ReadableStream<Uint8Array>({
      start: (controller) => {
        controller.enqueue(new TextEncoder().encode('{"data":{'))
      },
    })

  it('are a timeout at the deadline, or the reason of an abort', async () => {
    for (const aborts of [false, true]) {
      const arrived = deferred<undefined>()
      const ports = testPorts(() => {
        arrived.resolve(undefined)
        return new Response(half())
      })
      const { runtime, network } = ports
      const auth = vaultToken('root')
      const kms = createVaultTransitKms({
        endpoint,
        key: 'app',
        auth,
        runtime,
        network,
        timeoutMs: 700,
      })
      const controller = new AbortController()
      const work = codeOf(kms.generateDataKey({ context, signal: controller.signal }))
      await arrived.promise
      await turn()
      const reason = new Error('gone')
      if (aborts) controller.abort(reason)
      else ports.advance(700)
      expect([await work, ports.waiting]).toEqual([aborts ? reason : 'ERR_KMS_TIMEOUT', 0])
    }
  })

  const bodies: Readonly<Record<string, BodyInit | null>> = {
    'no body': null,
    HTML: '<html>',
    'a list': '[]',
    'a text': '"x"',
    'two objects': '{}{}',
    'an object of nothing': '{"data":null}',
    'more than 256 KiB': `{"data":{}}${' '.repeat(262_144)}`,
  }
  it.each(Object.keys(bodies))('%s is not an answer', async (what) => {
    const ports = testPorts(() => new Response(bodies[what] ?? null))
    const { runtime, network } = ports
    const auth = vaultToken('root')
    const kms = createVaultTransitKms({ endpoint, key: 'app', auth, runtime, network })
    const error: unknown = await kms.generateDataKey({ context }).catch((e: unknown) => e)
    expect(isKmsError(error, 'ERR_KMS_RESPONSE_INVALID')).toBe(true)
  })
})
