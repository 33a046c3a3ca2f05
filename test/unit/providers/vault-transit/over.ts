import type { KeyManagementService } from '../../../../src/kms/index.ts'
import {
  createVaultTransitKms,
  vaultToken,
  type VaultTransitKmsOptions,
} from '../../../../src/providers/vault-transit/index.ts'
import {
  createFakeVault,
  type FakeVault,
  type FakeVaultOptions,
} from '../../../../adapters/fakes/index.ts'
import { type Answer, testPorts, type TestPorts } from '../../credentials/aws/ports.ts'

export const context = { 'edge-kms:dk': 'salt.1', tenant: 'acme' }
export const endpoint = 'https://vault.example.test:8200'

/** A service over the fake, and every request that it sends. */
export function overFake(
  options: Partial<VaultTransitKmsOptions> = {},
  fakeOptions: FakeVaultOptions = {},
): {
  readonly vault: FakeVault
  readonly kms: KeyManagementService
  readonly create: (more?: Partial<VaultTransitKmsOptions>) => KeyManagementService
  readonly sent: { readonly url: string; readonly body: string; readonly headers: Headers }[]
} {
  const vault = createFakeVault({
    keys: [{ name: 'app' }, { name: 'derived', derived: true }],
    ...fakeOptions,
  })
  const sent: { url: string; body: string; headers: Headers }[] = []
  const network = {
    ...vault.network,
    fetch: async (url: string, init: RequestInit) => {
      sent.push({ url, body: (init.body ?? '') as string, headers: new Headers(init.headers) })
      return vault.network.fetch(url, init)
    },
  }
  const create = (more: Partial<VaultTransitKmsOptions> = {}): KeyManagementService =>
    createVaultTransitKms({
      endpoint,
      key: 'app',
      auth: vaultToken(vault.token),
      network,
      ...options,
      ...more,
    })
  return { vault, kms: create(), create, sent }
}

export const KEY_INFO = {
  name: 'app',
  type: 'aes256-gcm96',
  derived: false,
  latest_version: 3,
  supports_encryption: true,
}

/** A service over answers that a test makes up; the key info is right unless the test answers it. */
export function overAnswers(
  answer: Answer,
  options: Partial<VaultTransitKmsOptions> = {},
): { readonly kms: KeyManagementService; readonly ports: TestPorts } {
  const ports = testPorts((request, n) =>
    request.method === 'GET' && request.url.endsWith('/keys/app')
      ? Response.json({ data: KEY_INFO })
      : answer(request, n),
  )
  const { runtime, network } = ports
  const auth = vaultToken('canary-token')
  return {
    kms: createVaultTransitKms({ endpoint, key: 'app', auth, runtime, network, ...options }),
    ports,
  }
}
