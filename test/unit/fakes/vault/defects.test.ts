import { describe, expect, it } from 'vitest'
import {
  createFakeVault,
  FAKE_VAULT_DEFECTS,
  type FakeVault,
  type FakeVaultDefect,
} from '../../../../adapters/fakes/index.ts'

const create = (defect?: FakeVaultDefect): FakeVault =>
  createFakeVault({
    keys: [{ name: 'app' }, { name: 'derived', derived: true }],
    tokens: [
      { token: 'root' },
      { token: 'nobody', policy: {} },
      { token: 'old', ttlSeconds: 60, maxTtlSeconds: 90 },
    ],
    appRoles: [{ roleId: 'role', secretIds: ['secret'] }],
    jwt: {
      issuer: { issuer: 'https://issuer.example', keys: [] },
      roles: [{ name: 'ci', audience: 'vault' }],
    },
    ...(defect !== undefined && { defects: [defect] }),
  })

interface Answered {
  readonly status: number
  readonly data: Record<string, unknown>
  readonly auth: Record<string, unknown>
}

async function send(
  fake: FakeVault,
  path: string,
  body: object = {},
  token = 'root',
): Promise<Answered> {
  const init = { method: 'POST', headers: { 'x-vault-token': token }, body: JSON.stringify(body) }
  const response = await fake.fetch(new Request(`${fake.endpoint}/v1/${path}`, init))
  const json = (await response.json()) as { data?: unknown; auth?: unknown }
  return {
    status: response.status,
    data: (json.data ?? {}) as Record<string, unknown>,
    auth: (json.auth ?? {}) as Record<string, unknown>,
  }
}

const a = btoa('a')
const b = btoa('b')
const sealed = async (fake: FakeVault, more = {}, key = 'app') =>
  (await send(fake, `transit/encrypt/${key}`, { plaintext: btoa('x'), ...more })).data[
    'ciphertext'
  ] as string
const opens = async (fake: FakeVault, ciphertext: string, more = {}, key = 'app') =>
  (await send(fake, `transit/decrypt/${key}`, { ciphertext, ...more })).status === 200

/** For each defect, whether a server has it, as a client can tell. */
const signs: Readonly<Record<FakeVaultDefect, (fake: FakeVault) => Promise<boolean>>> = {
  'accepts-any-jwt': async (fake) =>
    (await send(fake, 'auth/jwt/login', { role: 'ci', jwt: 'a.b.c' })).status === 200,
  'accepts-any-secret-id': async (fake) =>
    (await send(fake, 'auth/approle/login', { role_id: 'role', secret_id: 'x' })).status === 200,
  'accepts-expired-tokens': async (fake) => {
    fake.clock.advance(61_000)
    return (await send(fake, 'transit/encrypt/app', { plaintext: '' }, 'old')).status === 200
  },
  'drops-old-versions': async (fake) => {
    const old = await sealed(fake)
    await send(fake, 'transit/keys/app/rotate')
    return !(await opens(fake, old))
  },
  'encrypts-under-first-version': async (fake) => {
    await send(fake, 'transit/keys/app/rotate')
    return (await sealed(fake)).startsWith('vault:v1:')
  },
  'ignores-associated-data': async (fake) =>
    opens(fake, await sealed(fake, { associated_data: a }), { associated_data: b }),
  'ignores-derivation': async (fake) =>
    opens(fake, await sealed(fake, { context: a }, 'derived'), { context: b }, 'derived'),
  'ignores-min-decryption-version': async (fake) => {
    const old = await sealed(fake, { key_version: 1 })
    await send(fake, 'transit/keys/app/rotate')
    await send(fake, 'transit/keys/app/config', { min_decryption_version: 2 })
    const { data } = await send(fake, 'transit/decrypt/app', { ciphertext: old })
    return data['plaintext'] !== undefined
  },
  'ignores-policies': async (fake) =>
    (await send(fake, 'transit/encrypt/app', { plaintext: '' }, 'nobody')).status === 200,
  'renews-past-max-ttl': async (fake) => {
    fake.clock.advance(50_000)
    const { auth } = await send(fake, 'auth/token/renew-self', {}, 'old')
    return auth['lease_duration'] === 60
  },
  'reverses-batches': async (fake) => {
    const batch_input = [
      { ciphertext: await sealed(fake), reference: '1' },
      { ciphertext: 'x', reference: '2' },
    ]
    const { data } = await send(fake, 'transit/decrypt/app', { batch_input })
    return (data['batch_results'] as readonly { reference: string }[])[0]?.reference === '2'
  },
  'rewrap-keeps-version': async (fake) => {
    const ciphertext = await sealed(fake, { key_version: 1 })
    await send(fake, 'transit/keys/app/rotate')
    await send(fake, 'transit/keys/app/rotate')
    const { data } = await send(fake, 'transit/rewrap/app', { ciphertext })
    return String(data['ciphertext']).startsWith('vault:v1:')
  },
}

describe('fake Vault: seeded faults', () => {
  it('are twelve', () => {
    expect(Object.keys(signs)).toEqual(FAKE_VAULT_DEFECTS)
    expect(FAKE_VAULT_DEFECTS).toHaveLength(12)
  })

  /** Signs that a defect shows beside its own. */
  const alsoShows: Readonly<Record<string, readonly string[]>> = {
    'encrypts-under-first-version': ['rewrap-keeps-version'],
  }
  it.each(FAKE_VAULT_DEFECTS)('%s: only where it was asked for', async (defect) => {
    expect(await signs[defect](create(defect))).toBe(true)
    expect(await signs[defect](create())).toBe(false)
    for (const other of FAKE_VAULT_DEFECTS) {
      if (other === defect || alsoShows[other]?.includes(defect) === true) continue
      expect(await signs[defect](create(other)), other).toBe(false)
    }
  })
})
