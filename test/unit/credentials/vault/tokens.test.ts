import { describe, expect, it } from 'vitest'
import type { KeyManagementService } from '../../../../src/kms/index.ts'
import {
  createVaultTransitKms,
  vaultAppRole,
  type VaultLogin,
  vaultToken,
  type VaultTransitKmsOptions,
} from '../../../../src/providers/vault-transit/index.ts'
import {
  createFakeVault,
  type FakeVault,
  type FakeVaultOptions,
} from '../../../../adapters/fakes/index.ts'
import { codeOf, START_MS, testPorts, type TestPorts } from '../aws/ports.ts'

const endpoint = 'https://vault.example.test:8200'
const context = { 'edge-kms:dk': 'salt.1' }
const appRole = { roleId: 'role', secretId: 'secret' }
const minutes = (n: number): number => n * 60_000

/** A service over the fake, both on one clock that the test moves. */
function setUp(
  auth: VaultLogin = vaultAppRole(appRole),
  options: FakeVaultOptions = {},
  more: Partial<VaultTransitKmsOptions> = {},
): {
  readonly vault: FakeVault
  readonly kms: KeyManagementService
  readonly ports: TestPorts
  readonly operations: () => string
} {
  let now = (): number => START_MS
  const vault = createFakeVault({
    keys: [{ name: 'app' }],
    appRoles: [
      { roleId: 'role', secretIds: ['secret', 'second'], ttlSeconds: 3_600, maxTtlSeconds: 10_800 },
    ],
    now: () => now(),
    ...options,
  })
  const ports = testPorts(({ url, method, headers, body }) =>
    vault.fetch(new Request(url, { method, headers, ...(body !== '' && { body }) })),
  )
  now = () => ports.runtime.now()
  const { runtime, network } = ports
  return {
    vault,
    ports,
    kms: createVaultTransitKms({ endpoint, key: 'app', auth, runtime, network, ...more }),
    operations: () => vault.calls.map(({ operation }) => operation).join(),
  }
}

describe('Vault tokens', () => {
  it('one login serves many, also those that come at once', async () => {
    const { kms, vault } = setUp()
    await Promise.all(Array.from({ length: 10 }, () => kms.currentVersion({})))
    await kms.currentVersion({})
    expect([vault.count('login'), vault.count('keys')]).toEqual([1, 11])
  })

  it('are renewed ahead of their end, and logged in for anew near their maximum', async () => {
    const { kms, ports, operations } = setUp()
    await kms.currentVersion({})
    ports.advance(minutes(54))
    await kms.currentVersion({})
    expect(operations()).toBe('login,keys,keys')
    ports.advance(minutes(2))
    await kms.currentVersion({})
    ports.advance(minutes(56))
    await kms.currentVersion({})
    expect(operations()).toBe('login,keys,keys,renew-self,keys,renew-self,keys')
    // 2 h 48 min after the login: of the maximum of 3 h too little is left.
    ports.advance(minutes(56))
    await kms.currentVersion({})
    ports.advance(minutes(56))
    await kms.currentVersion({})
    expect(operations()).toMatch(/keys,renew-self,login,keys,renew-self,keys$/)
  })

  it('are logged in for anew where they cannot be renewed, whatever the server says then', async () => {
    for (const kind of ['forbidden', 'internal'] as const) {
      const { kms, vault, ports, operations } = setUp()
      await kms.currentVersion({})
      ports.advance(minutes(56))
      vault.faults.push({ kind, operation: 'renew-self' })
      await kms.currentVersion({})
      expect(operations()).toBe('login,keys,renew-self,login,keys')
    }
  })

  it('are used to their end while the server cannot renew them', async () => {
    const { kms, vault, ports } = setUp()
    await kms.currentVersion({})
    ports.advance(minutes(56))
    vault.faults.push(
      { kind: 'sealed', operation: 'renew-self' },
      { kind: 'sealed', operation: 'login' },
    )
    await kms.currentVersion({})
    expect(vault.faults.pending).toEqual([])
    ports.advance(minutes(5))
    vault.faults.push({ kind: 'sealed', operation: 'login' })
    expect(await codeOf(kms.currentVersion({}))).toBe('ERR_KMS_UNAVAILABLE')
  })

  it('R22: a refused token is logged in for once more, and no more than once', async () => {
    const { kms, vault, ports, operations } = setUp()
    await kms.currentVersion({})
    ports.advance(minutes(1))
    vault.forgetCalls()
    vault.faults.push({ kind: 'forbidden', operation: 'keys' })
    await kms.currentVersion({})
    expect(operations()).toBe('keys,login,keys')
    ports.advance(minutes(1))
    vault.forgetCalls()
    vault.faults.push({ kind: 'forbidden', operation: 'keys', times: Infinity })
    expect(await codeOf(kms.currentVersion({}))).toBe('ERR_KMS_ACCESS_DENIED')
    expect(operations()).toBe('keys,login,keys')
  })

  it('a token that is fresh is not the reason of a refusal: no login for each', async () => {
    const { kms, vault, operations } = setUp()
    vault.faults.push({ kind: 'forbidden', operation: 'keys', times: Infinity })
    for (let i = 0; i < 3; i++)
      expect(await codeOf(kms.currentVersion({}))).toBe('ERR_KMS_ACCESS_DENIED')
    expect(operations()).toBe('login,keys,keys,keys')
  })

  it('many calls under one revoked token are one login', async () => {
    const { kms, vault, ports } = setUp()
    await kms.currentVersion({})
    const revoked = ports.sent.at(-1)?.headers.get('x-vault-token') ?? ''
    vault.revoke(revoked)
    ports.advance(minutes(1))
    vault.forgetCalls()
    await Promise.all(Array.from({ length: 20 }, () => kms.generateDataKey({ context })))
    expect(vault.count('login')).toBe(1)
  })

  it('of a function are asked for again when one is refused, and a static one is not', async () => {
    const tokens = ['stale', 'root']
    const asked: string[] = []
    const next = vaultToken(() => {
      const token = tokens[Math.min(asked.length, 1)] as string
      asked.push(token)
      return Promise.resolve(token)
    })
    const { kms, ports } = setUp(next)
    // It might be a policy: the function is not asked before the token is old enough to be stale.
    expect(await codeOf(kms.currentVersion({}))).toBe('ERR_KMS_ACCESS_DENIED')
    ports.advance(10_000)
    await kms.currentVersion({})
    expect(asked).toEqual(['stale', 'root'])
    const still = setUp(vaultToken('stale'))
    expect(await codeOf(still.kms.currentVersion({}))).toBe('ERR_KMS_ACCESS_DENIED')
    still.ports.advance(minutes(1))
    expect(await codeOf(still.kms.currentVersion({}))).toBe('ERR_KMS_ACCESS_DENIED')
    expect(still.vault.count('keys')).toBe(2)
  })

  it('that somebody else logged in for are renewed where that is asked for', async () => {
    const tokens = [{ token: 'periodic', ttlSeconds: 3_600 }, { token: 'root' }]
    const { kms, ports, operations } = setUp(vaultToken('periodic', { renew: true }), { tokens })
    await kms.currentVersion({})
    ports.advance(minutes(56))
    await kms.currentVersion({})
    expect(operations()).toBe('renew-self,keys,renew-self,keys')
    const root = setUp(vaultToken('root', { renew: true }), { tokens })
    expect(await codeOf(root.kms.currentVersion({}))).toBe('ERR_KMS_UNAUTHENTICATED')
  })

  it.each([
    ['no auth', {}],
    ['no token', { auth: {} }],
    ['an empty token', { auth: { client_token: '', lease_duration: 60 } }],
    ['a line break', { auth: { client_token: 'a\nb: c', lease_duration: 60 } }],
    ['a token that is a list', { auth: { client_token: ['a'], lease_duration: 60 } }],
    ['no lease', { auth: { client_token: 'a' } }],
    ['a lease below 0', { auth: { client_token: 'a', lease_duration: -1 } }],
    ['a lease as text', { auth: { client_token: 'a', lease_duration: '60' } }],
    ['a list', []],
  ])('R9: a login that is answered with %s is refused', async (_what, answer) => {
    const ports = testPorts(() => Response.json(answer))
    const { runtime, network } = ports
    const auth = vaultAppRole(appRole)
    const kms = createVaultTransitKms({ endpoint, key: 'app', auth, runtime, network })
    expect(await codeOf(kms.currentVersion({}))).toBe('ERR_KMS_RESPONSE_INVALID')
    expect(ports.sent).toHaveLength(1)
  })

  it.each(['', 'a b', 'a\nb', 'ä'])('refuses the token %j', (token) => {
    expect(() => vaultToken(token)).toThrow(expect.objectContaining({ code: 'ERR_KMS_CONFIG' }))
  })

  it('refuses the token of a function that is not a header value', async () => {
    const { kms, vault } = setUp(vaultToken(() => Promise.resolve('a\r\nx: y')))
    expect(await codeOf(kms.currentVersion({}))).toBe('ERR_KMS_CONFIG')
    expect(vault.count()).toBe(0)
  })
})

describe('R9 Vault: redirects', () => {
  const active = 'https://vault-1.example.test:8200'
  const standbyOrigins = [active]

  it('of a standby are followed to an origin that is allowed, with the token and the body', async () => {
    const { kms, vault, ports } = setUp(vaultToken('root'), {}, { standbyOrigins })
    await kms.currentVersion({})
    vault.faults.push({ kind: 'standby', operation: 'encrypt', location: active })
    await kms.generateDataKey({ context })
    const [first, second] = ports.sent.slice(-2)
    expect([first?.url, second?.url]).toEqual([
      `${endpoint}/v1/transit/encrypt/app`,
      `${active}/v1/transit/encrypt/app`,
    ])
    expect(second?.body).toBe(first?.body)
    expect(second?.headers.get('x-vault-token')).toBe('root')
  })

  const refused: readonly (readonly [string, string, number])[] = [
    ['an origin that is not allowed', 'https://attacker.example/v1/transit/keys/app', 307],
    ['another port', 'https://vault-1.example.test/v1/transit/keys/app', 307],
    ['plain http', 'http://vault-1.example.test:8200/v1/transit/keys/app', 307],
    ['a user', 'https://u:p@vault-1.example.test:8200/v1/transit/keys/app', 307],
    ['another path', `${active}/v1/transit/keys/other`, 307],
    ['a query', `${active}/v1/transit/keys/app?x=y`, 307],
    ['a fragment', `${active}/v1/transit/keys/app#x`, 307],
    ['a path that was cleaned', '/v1/transit/keys/app', 307],
    ['no place', '', 307],
    ['no URL', 'https://[', 307],
    ['a 301', `${active}/v1/transit/keys/app`, 301],
    ['a 302', `${active}/v1/transit/keys/app`, 302],
    ['a 308', `${active}/v1/transit/keys/app`, 308],
  ]
  it.each(refused)('to %s are refused', async (_what, location, status) => {
    const ports = testPorts(() => new Response(null, { status, headers: { location } }))
    const { runtime, network } = ports
    const auth = vaultToken('root')
    const kms = createVaultTransitKms({
      endpoint,
      key: 'app',
      auth,
      runtime,
      network,
      standbyOrigins,
    })
    expect(await codeOf(kms.currentVersion({}))).toBe('ERR_KMS_RESPONSE_INVALID')
    expect(ports.sent).toHaveLength(1)
  })

  it('are refused by default, and never followed twice', async () => {
    const plain = setUp(vaultToken('root'))
    plain.vault.faults.push({ kind: 'standby', location: active })
    expect(await codeOf(plain.kms.currentVersion({}))).toBe('ERR_KMS_RESPONSE_INVALID')
    const { kms, vault } = setUp(vaultToken('root'), {}, { standbyOrigins })
    vault.faults.push({ kind: 'standby', location: active, times: 2 })
    expect(await codeOf(kms.currentVersion({}))).toBe('ERR_KMS_RESPONSE_INVALID')
    expect(vault.count()).toBe(2)
  })
})
