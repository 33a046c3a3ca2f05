import type { Library, RuntimeCase } from '../../runtime/suite.ts'
import { check, cipherCases, codeOf, contractOf, type Kms } from './shared.ts'

/** The address of Vault or OpenBao, and keys of transit for these cases alone. */
export interface VaultTarget {
  /** `openbao`, `fake` or `live`. */
  readonly name: string
  readonly endpoint: string
  readonly token: string
  /** The path of the transit engine; `transit` by default. */
  readonly mount?: string
  readonly namespace?: string
  /** Keys that were made without `derived`. */
  readonly key: string
  readonly other: string
  /** Keys that were made with `derived`. */
  readonly derived: string
  readonly otherDerived: string
}

const RECORDS = 1_000
const TENANTS = 20
const BAD = 500

/** Returns the cases of `vault-transit` against a server. */
export function vaultCases(library: Library, target: VaultTarget): readonly RuntimeCase[] {
  const { core, testing, vault } = library
  const { endpoint, token, mount, namespace, key, other, derived, otherDerived } = target
  type Options = Parameters<typeof vault.createVaultTransitKms>[0]
  const create = (options: Pick<Options, 'key' | 'bindBy'>): Kms =>
    vault.createVaultTransitKms({
      endpoint,
      auth: vault.vaultToken(token),
      timeoutMs: 10_000,
      allowHttpLoopback: endpoint.startsWith('http:'),
      ...(mount !== undefined && { mount }),
      ...(namespace !== undefined && { namespace }),
      ...options,
    })
  const ours = (): Kms => create({ key })
  const bindBy = 'derivation' as const
  const contracts = [
    ['contract, a key', { key }, { key: other }],
    ['contract, a derived key', { key: derived }, { key: otherDerived }],
    ['contract, by derivation', { key: derived, bindBy }, { key: otherDerived, bindBy }],
  ] as const
  return [
    ...contracts.flatMap(([title, mine, others]) => {
      const subject = { create: () => create(mine), createOther: () => create(others) }
      return contractOf(testing.kmsContract(create(mine).capabilities, subject), title)
    }),
    ...cipherCases(library, ours),
    {
      name: 'a key that does not exist is not found, and not made',
      run: async () => {
        const unknown = create({ key: 'no-such-key' })
        for (let i = 0; i < 2; i++) {
          const code = await codeOf(library, unknown.generateDataKey({ context: {} }))
          check(code === 'ERR_KMS_KEY_NOT_FOUND', code)
        }
      },
    },
    {
      name: `a page of ${String(RECORDS)} records under ${String(TENANTS)} data keys, one of them not ours`,
      run: async () => {
        const items = Array.from({ length: RECORDS }, (_, i) => ({
          plaintext: new Uint8Array([i & 255, i >> 8]),
          context: { tenant: String(i % TENANTS) },
        }))
        const sealed = await new core.EnvelopeCipher({ kms: ours() }).encryptMany(items)
        const page = sealed.map((outcome, i) => ({
          envelope: outcome.ok ? outcome.value : new Uint8Array(),
          context: { tenant: i === BAD ? 'evil' : String(i % TENANTS) },
        }))
        const opened = await new core.EnvelopeCipher({ kms: ours() }).decryptMany(page)
        for (const [i, outcome] of opened.entries()) {
          if (i === BAD) check(!outcome.ok && outcome.error.code === 'ERR_DECRYPT_FAILED', 'BAD')
          else check(outcome.ok && outcome.value[0] === (i & 255), `item ${String(i)}`)
        }
      },
    },
  ]
}
