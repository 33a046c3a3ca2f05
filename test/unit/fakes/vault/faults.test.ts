import { describe, expect, it } from 'vitest'
import type { KmsErrorCode } from '../../../../src/errors.ts'
import { createVaultTransitKms, vaultToken } from '../../../../src/providers/vault-transit/index.ts'
import { createFakeVault, type FakeVaultFault } from '../../../../adapters/fakes/index.ts'
import { codeOf } from '../../credentials/aws/ports.ts'

const context = { 'edge-kms:dk': 'salt.1' }

function setUp() {
  const vault = createFakeVault({ keys: [{ name: 'app' }] })
  const { endpoint, network, token } = vault
  const auth = vaultToken(token)
  return { vault, kms: createVaultTransitKms({ endpoint, key: 'app', auth, network }) }
}

describe('fake Vault: faults by script', () => {
  const invalid = 'ERR_KMS_RESPONSE_INVALID'
  const rows: readonly (readonly [FakeVaultFault, KmsErrorCode])[] = [
    [{ kind: 'throttle' }, 'ERR_KMS_THROTTLED'],
    [{ kind: 'sealed' }, 'ERR_KMS_UNAVAILABLE'],
    [{ kind: 'internal' }, 'ERR_KMS_UNAVAILABLE'],
    [{ kind: 'forbidden' }, 'ERR_KMS_ACCESS_DENIED'],
    [{ kind: 'reset' }, 'ERR_KMS_UNAVAILABLE'],
    [{ kind: 'truncated' }, 'ERR_KMS_UNAVAILABLE'],
    [{ kind: 'standby' }, invalid],
    [{ kind: 'redirect' }, invalid],
    [{ kind: 'not-json' }, invalid],
    [{ kind: 'oversized' }, invalid],
    [{ kind: 'wrong-version', operation: 'encrypt' }, invalid],
    [{ kind: 'wrong-version', operation: 'keys' }, invalid],
    [{ kind: 'wrong-prefix', operation: 'encrypt' }, invalid],
  ]
  it.each(rows)('%j', async (fault, code) => {
    const { vault, kms } = setUp()
    vault.faults.push(fault)
    expect(await codeOf(kms.generateDataKey({ context }))).toBe(code)
    expect(vault.faults.pending).toEqual([])
    expect(vault.calls.at(-1)?.fault).toBe(fault.kind)
    expect(await codeOf(kms.generateDataKey({ context }))).toBe('no error')
  })

  it('a data key of one byte less waits for an answer that has one', async () => {
    const { vault, kms } = setUp()
    const { wraps } = await kms.generateDataKey({ context })
    vault.faults.push({ kind: 'wrong-length', operation: 'decrypt' })
    const wrong = { context: { 'edge-kms:dk': 'salt.2' } }
    expect(await codeOf(kms.unwrapDataKey(wraps, wrong))).toBe('ERR_DECRYPT_FAILED')
    expect(vault.faults.pending).toHaveLength(1)
    // The source of data keys judges its length, and tries the other wraps.
    const { plaintext } = await kms.unwrapDataKey(wraps, { context })
    expect(plaintext.expose()).toHaveLength(31)
  })

  it('says how long to wait where the script does', async () => {
    const { vault, kms } = setUp()
    vault.faults.push({ kind: 'throttle', retryAfterSeconds: 7 })
    const error: unknown = await kms.currentVersion({}).catch((caught: unknown) => caught)
    expect(error).toMatchObject({ code: 'ERR_KMS_THROTTLED', retryAfterMs: 7_000 })
  })

  it('records calls without a plaintext, a ciphertext or a token', async () => {
    const { vault, kms } = setUp()
    const { plaintext, wraps } = await kms.generateDataKey({ context })
    await kms.unwrapDataKey(wraps, { context })
    const seen = JSON.stringify(vault.calls)
    const bytes = Buffer.from(plaintext.expose()).toString('base64')
    expect(seen).toContain('transit/decrypt/app')
    for (const secret of [bytes, 'vault:v1:', '"root"']) expect(seen).not.toContain(secret)
  })

  it('stands behind a signal: who is gone is not answered', async () => {
    const { vault } = setUp()
    const reason = new Error('gone')
    const request = new Request(`${vault.endpoint}/v1/sys/health`, {
      signal: AbortSignal.abort(reason),
    })
    await expect(vault.fetch(request)).rejects.toBe(reason)
    expect(vault.count()).toBe(0)
  })
})
