import { describe, expect, it } from 'vitest'
import { encodeBase64Url } from '../../../../src/bytes/index.ts'
import { azureClientSecret } from '../../../../src/providers/azure-key-vault/index.ts'
import {
  createFakeAzure,
  FAKE_AZURE_DEFECTS,
  type FakeAzure,
  type FakeAzureDefect,
} from '../../../../adapters/fakes/index.ts'
import { codeOf } from '../../credentials/aws/ports.ts'

const writer = { clientId: '72f0a1c4-0000-4000-8000-00000000000b', permissions: ['get'] }
const value = encodeBase64Url(new Uint8Array(32).fill(7))

interface Asked {
  readonly token?: string
  readonly method?: string
  readonly input?: object
}

async function ask(fake: FakeAzure, url: string, { token, method, input }: Asked = {}) {
  const authorization = token ?? (await tokenOf(fake))
  const response = await fake.fetch(
    new Request(`${url}?api-version=7.4`, {
      method: method ?? (input === undefined ? 'GET' : 'POST'),
      headers: authorization === '' ? {} : { authorization: `Bearer ${authorization}` },
      ...(input !== undefined && { body: JSON.stringify(input) }),
    }),
  )
  const text = await response.text()
  const json = (text === '' ? {} : JSON.parse(text)) as Record<string, unknown>
  return { status: response.status, headers: response.headers, text, json }
}

async function tokenOf(fake: FakeAzure, resource = 'https://vault.azure.net'): Promise<string> {
  const source = azureClientSecret({ ...fake.credentials, network: fake.network })
  return (await source.get({ resource })).token
}

const wrap = { alg: 'RSA-OAEP-256', value }

describe('fake of Azure', () => {
  it('answers without a token with AKV10000 and a challenge', async () => {
    const fake = createFakeAzure()
    const { status, json, headers } = await ask(fake, fake.createKey(), { token: '' })
    const message = expect.stringMatching(/^AKV10000/) as string
    expect([status, json]).toEqual([401, { error: { code: 'Unauthorized', message } }])
    expect(headers.get('www-authenticate')).toBe(
      `Bearer authorization="https://login.microsoftonline.com/${fake.tenantId}", resource="https://vault.azure.net"`,
    )
  })

  it('lists no versions of a key that it does not have', async () => {
    const fake = createFakeAzure()
    const { status, json } = await ask(fake, `${fake.createKey()}x/versions`)
    expect([status, json]).toEqual([200, { value: [], nextLink: null }])
  })

  it('shows a deleted key, and refuses its name until then and after', async () => {
    const fake = createFakeAzure()
    const keyId = fake.createKey({ name: 'app' })
    const deleted = keyId.replace('/keys/', '/deletedkeys/')
    expect((await ask(fake, deleted)).status).toBe(404)
    const { status, json } = await ask(fake, keyId, { method: 'DELETE' })
    expect([status, json['recoveryId']]).toEqual([200, deleted])
    expect(await ask(fake, deleted)).toMatchObject({ status: 200, json })
    expect((await ask(fake, keyId)).status).toBe(404)
  })

  it('makes RSA keys of the size that is asked for, and refuses other sizes', async () => {
    const fake = createFakeAzure()
    const url = `${fake.createKey()}3/create`
    const made = await ask(fake, url, { input: { kty: 'RSA', key_size: 3_072 } })
    const { n } = made.json['key'] as { readonly n: string }
    expect(Buffer.from(n, 'base64url')).toHaveLength(384)
    for (const key_size of [1_024, 2_049, '2048'])
      expect((await ask(fake, url, { input: { kty: 'RSA', key_size } })).status).toBe(400)
  })

  it('makes a key that is disabled, one that is not valid yet, and keeps their tags', async () => {
    const fake = createFakeAzure()
    const keyId = fake.createKey()
    const make = async (name: string, attributes: object) => {
      const input = { kty: 'RSA', attributes, tags: { team: name } }
      const made = await ask(fake, `${keyId}${name}/create`, { input })
      expect(made.json).toMatchObject({ attributes, tags: { team: name } })
      const used = await ask(fake, `${keyId}${name}/wrapkey`, { input: wrap })
      const again = { method: 'PATCH', input: { attributes: { enabled: true, nbf: 1 } } }
      expect((await ask(fake, `${keyId}${name}`, again)).json['tags']).toEqual({ team: name })
      return [used.status, (await ask(fake, `${keyId}${name}/wrapkey`, { input: wrap })).status]
    }
    const nbf = Math.floor(Date.now() / 1_000) + 600
    expect(await make('off', { enabled: false })).toEqual([403, 200])
    expect(await make('early', { nbf })).toEqual([403, 200])
  })

  it('lists versions by pages of maxresults, and refuses a size beyond 25', async () => {
    const fake = createFakeAzure()
    const keyId = fake.createKey()
    for (let i = 0; i < 4; i++) await ask(fake, `${keyId}/rotate`, { input: {} })
    const authorization = `Bearer ${await tokenOf(fake)}`
    const get = async (url: string) => {
      const response = await fake.fetch(new Request(url, { headers: { authorization } }))
      const body = (await response.json()) as { value?: unknown[]; nextLink?: string | null }
      return { status: response.status, ...body }
    }
    const sizes: (number | undefined)[] = []
    let url: string | null = `${keyId}/versions?api-version=7.4&maxresults=2`
    while (url !== null) {
      const page = await get(url)
      sizes.push(page.value?.length)
      url = page.nextLink ?? null
    }
    expect(sizes).toEqual([2, 2, 1])
    for (const size of ['0', '26', 'x'])
      expect((await get(`${keyId}/versions?api-version=7.4&maxresults=${size}`)).status).toBe(400)
  })

  it('lets a rotation policy end new versions, and refuses one of less than 28 days', async () => {
    const fake = createFakeAzure()
    const keyId = fake.createKey()
    const put = (expiryTime: string) =>
      ask(fake, `${keyId}/rotationpolicy`, { method: 'PUT', input: { attributes: { expiryTime } } })
    for (const short of ['P27D', 'P0Y', '28 days', 'PT9999H'])
      expect((await put(short)).status).toBe(400)
    expect((await put('P1Y30D')).status).toBe(200)
    const { json } = await ask(fake, `${keyId}/rotate`, { input: {} })
    const { created, exp } = json['attributes'] as { created: number; exp: number }
    expect(exp - created).toBe(395 * 86_400)
  })

  it('routes names without case, empty path parts, and keys of other vaults', async () => {
    const fake = createFakeAzure()
    const keyId = fake.createKey({ name: 'App' })
    const statuses = [
      keyId.replace('App', 'APP'),
      `${keyId}/`,
      keyId.replace('acme', 'other'),
      `${keyId}/versions`,
      `${keyId}/nothing`,
      keyId.replace('keys', 'secrets'),
    ].map(async (url) => (await ask(fake, url)).status)
    expect(await Promise.all(statuses)).toEqual([200, 200, 404, 200, 404, 404])
    const double = await ask(fake, `${keyId}//wrapKey`, { input: wrap })
    expect(double.status).toBe(200)
  })

  it('demands an api-version', async () => {
    const fake = createFakeAzure()
    const headers = { authorization: `Bearer ${await tokenOf(fake)}` }
    const response = await fake.fetch(new Request(fake.createKey(), { headers }))
    expect(response.status).toBe(400)
  })

  it('keeps no secret, token, plaintext or ciphertext in its calls', async () => {
    const fake = createFakeAzure()
    const keyId = fake.createKey()
    const token = await tokenOf(fake)
    const { json } = await ask(fake, `${keyId}/wrapkey`, { token, input: wrap })
    const kept = JSON.stringify(fake.calls)
    for (const secret of [token, value, json['value'] as string, fake.credentials.clientSecret])
      expect(kept.includes(secret)).toBe(false)
    expect(fake.calls.at(-1)).toMatchObject({
      service: 'vault',
      operation: 'wrapKey',
      algorithm: 'RSA-OAEP-256',
      caller: fake.credentials.clientId,
      status: 200,
    })
    fake.forgetCalls()
    expect(fake.count()).toBe(0)
  })

  it('a fault meets its operation, as often as it says', async () => {
    const fake = createFakeAzure()
    const keyId = fake.createKey()
    fake.faults.push({ kind: 'throttle', operation: 'get', times: 2, retryAfterSeconds: 7 })
    expect((await ask(fake, `${keyId}/wrapkey`, { input: wrap })).status).toBe(200)
    const first = await ask(fake, keyId)
    expect([first.status, first.headers.get('retry-after')]).toEqual([429, '7'])
    expect((await ask(fake, keyId)).status).toBe(429)
    expect((await ask(fake, keyId)).status).toBe(200)
    fake.faults.push({ kind: 'internal' })
    fake.faults.clear()
    expect((await ask(fake, keyId)).status).toBe(200)
  })

  it('its clock can be put forward: tokens expire', async () => {
    const fake = createFakeAzure({ tokenSeconds: 60 })
    const keyId = fake.createKey()
    const token = await tokenOf(fake)
    expect((await ask(fake, keyId, { token })).status).toBe(200)
    fake.clock.advance(60_000)
    expect((await ask(fake, keyId, { token })).status).toBe(401)
  })
})

/** For each defect, whether a server has it, as a client can tell. */
const signs: Readonly<Record<FakeAzureDefect, (fake: FakeAzure) => Promise<boolean>>> = {
  'accepts-any-token': async (fake) => {
    const token = (await tokenOf(fake)).replace(/[^.]*$/, 'A'.repeat(43))
    return (await ask(fake, fake.createKey(), { token })).status === 200
  },
  'accepts-expired-tokens': async (fake) => {
    const token = await tokenOf(fake)
    fake.clock.advance(7_200_000)
    return (await ask(fake, fake.createKey(), { token })).status === 200
  },
  'ignores-audience': async (fake) => {
    const token = await tokenOf(fake, 'https://managedhsm.azure.net')
    return (await ask(fake, fake.createKey(), { token })).status === 200
  },
  'ignores-permissions': async (fake) => {
    const url = 'http://169.254.169.254/metadata/identity/oauth2/token'
    const query = `?resource=${encodeURIComponent('https://vault.azure.net')}&client_id=${writer.clientId}`
    const request = new Request(`${url}${query}`, { headers: { metadata: 'true' } })
    const answer = (await (await fake.fetch(request)).json()) as { access_token: string }
    const asked = { token: answer.access_token, input: wrap }
    return (await ask(fake, `${fake.createKey()}/wrapkey`, asked)).status === 200
  },
  'ignores-disabled': async (fake) => {
    const keyId = fake.createKey()
    await ask(fake, keyId, { method: 'PATCH', input: { attributes: { enabled: false } } })
    return (await ask(fake, `${keyId}/wrapkey`, { input: wrap })).status === 200
  },
  'ignores-expiry': async (fake) => {
    const keyId = fake.createKey({ expiresAtMs: fake.clock.now() - 1_000 })
    return (await ask(fake, `${keyId}/wrapkey`, { input: wrap })).status === 200
  },
  'ignores-key-operations': async (fake) => {
    const keyId = fake.createKey({ operations: ['sign'] })
    return (await ask(fake, `${keyId}/wrapkey`, { input: wrap })).status === 200
  },
  'ignores-version': async (fake) => {
    const keyId = fake.createKey()
    const { json } = await ask(fake, `${keyId}/wrapkey`, { input: wrap })
    await ask(fake, `${keyId}/rotate`, { input: {} })
    const input = { alg: 'RSA-OAEP-256', value: json['value'] }
    return (await ask(fake, `${keyId}/unwrapkey`, { input })).status === 200
  },
  'answers-without-version': async (fake) => {
    const keyId = fake.createKey()
    return (await ask(fake, `${keyId}/wrapkey`, { input: wrap })).json['kid'] === keyId
  },
  'rotates-nothing': async (fake) => {
    const keyId = fake.createKey()
    const kid = ({ json }: { json: Record<string, unknown> }) =>
      (json['key'] as { kid: string }).kid
    const before = kid(await ask(fake, keyId))
    return kid(await ask(fake, `${keyId}/rotate`, { input: {} })) === before
  },
  'accepts-any-secret': async (fake) => {
    const { network, credentials } = fake
    const source = azureClientSecret({ ...credentials, clientSecret: 'wrong', network })
    return (await codeOf(source.get({ resource: 'https://vault.azure.net' }))) === 'no error'
  },
  'accepts-any-assertion': async (fake) => {
    const part = (claims: object) =>
      encodeBase64Url(new TextEncoder().encode(JSON.stringify(claims)))
    const body = new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: fake.credentials.clientId,
      scope: 'https://vault.azure.net/.default',
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: `${part({ alg: 'none' })}.${part({
        iss: 'https://issuer.example.test',
        sub: 'app',
        aud: 'api://AzureADTokenExchange',
        exp: Math.floor(fake.clock.now() / 1_000) + 600,
      })}.AAAA`,
    })
    const url = `https://login.microsoftonline.com/${fake.tenantId}/oauth2/v2.0/token`
    return (await fake.fetch(new Request(url, { method: 'POST', body }))).status === 200
  },
}

const create = (defect?: FakeAzureDefect): FakeAzure => {
  const issuer = 'https://issuer.example.test'
  const admin = {
    clientId: '72f0a1c4-0000-4000-8000-00000000000a',
    clientSecret: 'not-a-secret',
    federations: [{ issuer, subject: 'app', keys: [] }],
  }
  return createFakeAzure({
    applications: [admin, writer],
    ...(defect !== undefined && { defects: [defect] }),
  })
}

describe('fake of Azure: seeded defects', () => {
  it.each(FAKE_AZURE_DEFECTS)('%s shows, and only where it was asked for', async (defect) => {
    expect([await signs[defect](create(defect)), await signs[defect](create())]).toEqual([
      true,
      false,
    ])
  })
})
