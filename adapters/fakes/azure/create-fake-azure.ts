import type { Network } from '../../../src/ports/index.ts'
import { type FakeClock, movableClock } from '../support/clock.ts'
import { surfaceOf } from '../support/fake-surface.ts'
import type { FaultQueue } from '../support/fault-script.ts'
import type { FakeAzureCall } from './calls.ts'
import { FakeAzureServer } from './fake-azure-server.ts'
import type { FakeAzureFault } from './faults.ts'
import { TokenMint } from './jwt.ts'
import { KeyStore } from './key-store.ts'
import type { FakeAzureApplication, FakeAzureKeyOptions, FakeAzureOptions } from './options.ts'

/** Key Vault, Managed HSM and Entra ID in one process: what {@link createFakeAzure} makes. */
export interface FakeAzure {
  /** Answers one request, for any host. Rejects if a scripted fault breaks the connection. */
  fetch(request: Request): Promise<Response>
  /** A `Network` whose every request ends here, whatever its URL; timers are real. */
  readonly network: Network
  readonly tenantId: string
  /** The first application. */
  readonly credentials: {
    readonly tenantId: string
    readonly clientId: string
    readonly clientSecret: string
  }
  readonly clock: FakeClock
  readonly faults: FaultQueue<FakeAzureFault>
  /** Every request so far, in the order of arrival. */
  readonly calls: readonly FakeAzureCall[]
  /** How many requests there were, of one operation or of all. */
  count(operation?: string): number
  /** Forgets the calls so far; keys stay. */
  forgetCalls(): void
  /** Makes a key, or a new version of one, without a request. Gives its id, without a version. */
  createKey(options?: FakeAzureKeyOptions): string
}

const TENANT = '72f0a1c4-0000-4000-8000-000000000001'
const APPLICATION: FakeAzureApplication = {
  clientId: '72f0a1c4-0000-4000-8000-000000000002',
  clientSecret: 'not-a-secret~client',
}

/**
 * Returns Azure Key Vault, Managed HSM, Entra ID's token endpoint and the metadata services on the wire, for tests:
 * real RSA-OAEP and AES key wrapping, real token signatures, permissions, versions, key states and rotation in
 * memory, faults by script, and no network. A plain fetch handler: call it, put it behind a server, or run it inside
 * a Worker (there make it inside the handler).
 *
 * No Microsoft service was recorded for it: statuses and names are those of Microsoft's documentation, and
 * `errors.ts` names the source of each. RSA1_5, signing, secrets and certificates do not exist.
 *
 * @remarks Security: keys live in memory and in clear. Never put data under them that matters.
 *
 * @example
 * ```ts
 * import { EnvelopeCipher } from 'edge-kms'
 * import { azureClientSecret, createAzureKeyVaultKms } from 'edge-kms/azure-key-vault'
 * import { createFakeAzure } from 'edge-kms/testing'
 *
 * export async function callsOfOneRecord(): Promise<number> {
 *   const azure = createFakeAzure()
 *   const { network } = azure
 *   const credentials = azureClientSecret({ ...azure.credentials, network })
 *   const kms = createAzureKeyVaultKms({ keyId: azure.createKey(), credentials, network })
 *   await new EnvelopeCipher({ kms }).encryptText('hello')
 *   return azure.count('wrapKey')
 * }
 * ```
 */
export function createFakeAzure(options: FakeAzureOptions = {}): FakeAzure {
  const { tenantId = TENANT, applications = [APPLICATION], now = Date.now } = options
  const [first = APPLICATION] = applications
  const clock = movableClock(now)
  const keys = new KeyStore()
  const server = new FakeAzureServer({
    tenantId,
    applications,
    keys,
    mint: new TokenMint(),
    tokenSeconds: options.tokenSeconds ?? 3_599,
    managedIdentity: options.managedIdentity ?? first.clientId,
    identityHeader: options.identityHeader ?? 'not-a-secret-header',
    defects: new Set(options.defects),
    now: () => clock.now(),
  })
  const createKey = (key: FakeAzureKeyOptions = {}): string => {
    const { kty = 'RSA', name = `key-${crypto.randomUUID()}`, expiresAtMs } = key
    const type = kty === 'oct-HSM' ? 'managedhsm' : 'vault'
    const { host, origin } = new URL(key.vault ?? `https://acme.${type}.azure.net`)
    const operations = key.operations ?? ['wrapKey', 'unwrapKey']
    keys.create(host, name, { kty, operations, nowMs: clock.now(), expiresAtMs })
    return `${origin}/keys/${name}`
  }
  options.keys?.forEach(createKey)
  return Object.assign(surfaceOf(server, clock), {
    tenantId,
    credentials: {
      tenantId,
      clientId: first.clientId,
      clientSecret: first.clientSecret ?? '',
    },
    createKey,
  })
}
