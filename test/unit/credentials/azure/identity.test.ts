import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import {
  azureAppServiceIdentity,
  type AzureAppServiceOptions,
  type AzureIdentityOptions,
  azureManagedIdentity,
} from '../../../../src/providers/azure-key-vault/index.ts'
import { createFakeAzure } from '../../../../adapters/fakes/index.ts'
import { codeOf, drain, START_MS, testPorts, turn } from '../aws/ports.ts'

const resource = 'https://vault.azure.net'
const guid = '72f0a1c4-0000-4000-8000-00000000000a'
const resourceId =
  '/subscriptions/72f0a1c4/resourceGroups/app(1)/providers/Microsoft.ManagedIdentity/userAssignedIdentities/app'
const imds = 'http://169.254.169.254/metadata/identity/oauth2/token'

const granted = () =>
  Response.json({
    token_type: 'Bearer',
    expires_in: '3599',
    expires_on: String(START_MS / 1_000 + 9_999),
    access_token: 'canary-token',
  })

describe('managed identity: the Instance Metadata Service', () => {
  it.each<[AzureIdentityOptions, string]>([
    [{}, ''],
    [{ clientId: guid }, `&client_id=${guid}`],
    [{ objectId: guid }, `&object_id=${guid}`],
    [
      { resourceId },
      `&msi_res_id=${encodeURIComponent(resourceId).replace('(', '%28').replace(')', '%29')}`,
    ],
  ])('of %o is asked for by a GET with the header that no link can send', async (which, query) => {
    const ports = testPorts(granted)
    const { runtime, network } = ports
    const source = azureManagedIdentity({ ...which, runtime, network })
    expect(await source.get({ resource })).toEqual({
      token: 'canary-token',
      expiresAtMs: START_MS + 3_599_000,
    })
    const [sent] = ports.sent
    const asked = encodeURIComponent(resource)
    expect(sent?.url).toBe(`${imds}?api-version=2018-02-01&resource=${asked}${query}`)
    expect([sent?.method, sent?.headers.get('metadata'), sent?.body]).toEqual(['GET', 'true', ''])
  })

  it.each<AzureIdentityOptions>([
    { clientId: 'canary' },
    { objectId: 'canary' },
    { resourceId: 'canary' },
    { resourceId: '/subscriptions/canary?x=1&resource=y' },
    { clientId: guid, objectId: guid },
    { clientId: guid, resourceId },
  ])('refuses %o', (options) => {
    let caught: unknown
    try {
      azureManagedIdentity(options)
    } catch (error) {
      caught = error
    }
    expect(caught).toMatchObject({ code: 'ERR_KMS_CONFIG' })
    expect(inspect(caught)).not.toContain('canary')
  })

  it('and App Service are played by the fake', async () => {
    const fake = createFakeAzure()
    const { network } = fake
    await azureManagedIdentity({ network }).get({ resource })
    const endpoint = 'http://127.0.0.1:41741/msi/token/'
    const app = azureAppServiceIdentity({ endpoint, header: 'not-a-secret-header', network })
    const { expiresAtMs = 0 } = await app.get({ resource })
    expect(Math.abs(expiresAtMs - Date.now() - 3_599_000)).toBeLessThan(60_000)
    const wrong = azureAppServiceIdentity({ endpoint, header: 'wrong', network })
    expect(await codeOf(wrong.get({ resource }))).toBe('ERR_KMS_CONFIG')
    const stranger = azureManagedIdentity({ clientId: guid, network })
    expect(await codeOf(stranger.get({ resource }))).toBe('ERR_KMS_CONFIG')
  })
})

describe('managed identity: App Service', () => {
  const header = 'canary-header'

  it.each([
    'http://127.0.0.1:41741/msi/token',
    'http://localhost:42356/msi/token',
    'http://169.254.129.2:8081/msi/token',
    'http://[::1]:8081/msi/token',
    'https://identity.example.test/token',
  ])('%s is asked, with the header', async (endpoint) => {
    const ports = testPorts(() =>
      Response.json({
        token_type: 'Bearer',
        expires_on: String(START_MS / 1_000 + 86_400),
        access_token: 'canary-token',
      }),
    )
    const { runtime, network } = ports
    const source = azureAppServiceIdentity({ endpoint, header, resourceId, runtime, network })
    expect((await source.get({ resource })).expiresAtMs).toBe(START_MS + 86_400_000)
    const [sent] = ports.sent
    expect(sent?.headers.get('x-identity-header')).toBe(header)
    expect(sent?.url).toContain(`${endpoint}?api-version=2019-08-01&resource=`)
    expect(sent?.url).toContain('&mi_res_id=')
    expect(sent?.url).not.toContain('canary')
  })

  it.each<Partial<AzureAppServiceOptions>>([
    { endpoint: '' },
    { endpoint: 'canary' },
    { endpoint: 'http://attacker.example/msi/token' },
    { endpoint: 'http://169.254.129.2.attacker.example/' },
    { endpoint: 'http://127.0.0.1@attacker.example/' },
    { endpoint: 'https://user:canary@identity.example.test/' },
    { endpoint: 'https://identity.example.test/?canary' },
    { endpoint: 'file:///canary' },
    { header: '' },
    { header: 'canary\r\nx: 1' },
  ])('R9 refuses %o', (change) => {
    const options = { endpoint: 'http://127.0.0.1:41741/msi/token', header, ...change }
    let caught: unknown
    try {
      azureAppServiceIdentity(options)
    } catch (error) {
      caught = error
    }
    expect(caught).toMatchObject({ code: 'ERR_KMS_CONFIG' })
    expect(inspect(caught)).not.toContain('canary')
  })
})

describe('R22 tokens: answers that must not be believed', () => {
  const right = { token_type: 'Bearer', expires_in: 3_599, access_token: 'canary-token' }
  it.each<[string, unknown]>([
    ['nothing', {}],
    ['no token', { ...right, access_token: undefined }],
    ['an empty token', { ...right, access_token: '' }],
    ['a token that is not text', { ...right, access_token: { canary: 1 } }],
    ['a token with a line break', { ...right, access_token: 'canary\r\nx: 1' }],
    ['a token that is too long', { ...right, access_token: 'c'.repeat(16_385) }],
    ['another type', { ...right, token_type: 'pop' }],
    ['no type', { ...right, token_type: undefined }],
    ['no life', { ...right, expires_in: undefined }],
    ['a life that is none', { ...right, expires_in: 'canary' }],
    ['a negative life', { ...right, expires_in: -1 }],
    ['a life without end', { ...right, expires_in: 'Infinity' }],
    ['a list', [right]],
    ['no object', 'canary'],
  ])('%s', async (_what, answer) => {
    const ports = testPorts(() => Response.json(answer))
    const { runtime, network } = ports
    const caught: unknown = await azureManagedIdentity({ runtime, network })
      .get({ resource })
      .catch((error: unknown) => error)
    expect(caught).toMatchObject({ code: 'ERR_KMS_RESPONSE_INVALID', provider: 'azure-identity' })
    expect(inspect(caught)).not.toContain('canary')
  })

  it.each([
    ['a redirect', () => new Response(null, { status: 302 }), 'ERR_KMS_RESPONSE_INVALID'],
    ['no JSON', () => new Response('<html>'), 'ERR_KMS_RESPONSE_INVALID'],
  ] as const)('%s', async (_what, answer, code) => {
    const { runtime, network } = testPorts(answer)
    expect(await codeOf(azureManagedIdentity({ runtime, network }).get({ resource }))).toBe(code)
  })

  it.each([
    ['no connection', () => Promise.reject(new TypeError('x'))],
    ['500', () => Response.json({ error: 'unknown' }, { status: 500 })],
    ['404, while the service is updated', () => new Response('', { status: 404 })],
    ['410, while the service is updated', () => new Response('', { status: 410 })],
  ] as const)('%s is asked again, four times at most', async (_what, answer) => {
    const ports = testPorts(answer)
    const failed = codeOf(azureManagedIdentity(portsOf(ports)).get({ resource }))
    await drain(ports)
    expect(await failed).toBe('ERR_KMS_UNAVAILABLE')
    expect(ports.sent).toHaveLength(4)
  })

  it('waits 10 s for one answer, as Microsoft’s client does', async () => {
    const ports = testPorts(() => new Promise(() => undefined))
    const failed = codeOf(azureManagedIdentity(portsOf(ports)).get({ resource }))
    await turn()
    ports.advance(9_999)
    await turn()
    expect(ports.sent).toHaveLength(1)
    for (let second = 0; second < 21; second++) {
      ports.advance(1_000)
      await turn()
    }
    expect(await failed).toBe('ERR_KMS_TIMEOUT')
    expect(ports.sent.length).toBeLessThanOrEqual(3)
  })
})

const portsOf = ({ runtime, network }: ReturnType<typeof testPorts>) => ({ runtime, network })
