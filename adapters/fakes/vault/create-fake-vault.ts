import type { Network } from '../../../src/ports/index.ts'
import { type FakeClock, movableClock } from '../support/clock.ts'
import { surfaceOf } from '../support/fake-surface.ts'
import type { FakeVaultCall } from './calls.ts'
import { FakeVaultServer } from './fake-vault-server.ts'
import type { FakeVaultFaults } from './faults.ts'
import type { FakeVaultKeyOptions, FakeVaultOptions } from './options.ts'
import { Tokens } from './tokens.ts'
import { TransitKeys } from './transit-keys.ts'

/** Vault's transit and auth in one process: what {@link createFakeVault} makes. */
export interface FakeVault {
  /** Answers one request. Rejects if a scripted fault breaks the connection. */
  fetch(request: Request): Promise<Response>
  /** A `Network` whose every request ends here, whatever its URL; timers are real. */
  readonly network: Network
  /** An address for clients that want one. */
  readonly endpoint: string
  /** The first token. */
  readonly token: string
  readonly clock: FakeClock
  readonly faults: FakeVaultFaults
  /** Every request so far, in the order of arrival. */
  readonly calls: readonly FakeVaultCall[]
  /** How many requests there were, of one operation or of all. */
  count(operation?: string): number
  /** Forgets the calls so far; keys and tokens stay. */
  forgetCalls(): void
  /** Makes a key without a request. */
  createKey(options: FakeVaultKeyOptions): void
  /** Ends a token without a request. */
  revoke(token: string): void
}

/**
 * Returns the transit engine and the auth methods of Vault and OpenBao on the wire, for tests: real encryption,
 * policies, leases and logins in memory, faults by script, and no network. A plain fetch handler: call it, put it
 * behind a server, or run it inside a Worker (there make it inside the handler: random bytes are refused at the top
 * level).
 *
 * It has Vault's traps too: associated data that rewrap and datakey do not know, a context that is ignored if the key
 * is not derived, keys that encrypting makes, batches that are a 400 with results. Words and statuses are those of
 * OpenBao 2.4. Of the key types only AES-GCM works.
 *
 * @remarks Security: keys live in memory and in clear. Never put data under them that matters.
 *
 * @example
 * ```ts
 * import { EnvelopeCipher } from 'edge-kms'
 * import { createVaultTransitKms, vaultToken } from 'edge-kms/vault-transit'
 * import { createFakeVault } from 'edge-kms/testing'
 *
 * export async function encryptsOnceTheServerIsUnsealed(): Promise<number> {
 *   const vault = createFakeVault({ keys: [{ name: 'app' }] })
 *   const { endpoint, network } = vault
 *   const kms = createVaultTransitKms({ endpoint, key: 'app', auth: vaultToken(vault.token), network })
 *   const cipher = new EnvelopeCipher({ kms })
 *   vault.faults.push({ operation: 'encrypt', kind: 'sealed' })
 *   await cipher.encryptText('hello').catch(() => cipher.encryptText('hello'))
 *   return vault.count('encrypt')
 * }
 * ```
 */
export function createFakeVault(options: FakeVaultOptions = {}): FakeVault {
  const { now = Date.now } = options
  const given = options.tokens ?? [{ token: 'root' }]
  const clock = movableClock(now)
  const keys = new TransitKeys(() => clock.now())
  const tokens = new Tokens(given, () => clock.now(), new Set(options.defects))
  const server = new FakeVaultServer({ options, keys, tokens, clock })
  const createKey = (key: FakeVaultKeyOptions): void => {
    const { mount = 'transit', namespace } = key
    keys.ensure(namespace === undefined ? mount : `${namespace}/${mount}`, key)
  }
  options.keys?.forEach(createKey)
  return Object.assign(surfaceOf(server, clock), {
    endpoint: 'https://vault.example.test:8200',
    token: given[0]?.token ?? '',
    createKey,
    revoke: (token: string) => {
      tokens.revoke(token)
    },
  })
}
