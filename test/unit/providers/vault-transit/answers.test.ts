import { readFileSync } from 'node:fs'
import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import { encodeUtf8 } from '../../../../src/bytes/index.ts'
import {
  COMMON_VAULT_ERRORS,
  type VaultErrorRow,
} from '../../../../src/credentials/vault/errors.ts'
import { LOGIN_ERRORS } from '../../../../src/credentials/vault/login.ts'
import { isKmsError, KmsError, type KmsErrorCode } from '../../../../src/errors.ts'
import { SecretBytes, type WrappedKey } from '../../../../src/kms/index.ts'
import { TRANSIT_ERRORS } from '../../../../src/providers/vault-transit/errors.ts'
import { vaultAppRole } from '../../../../src/providers/vault-transit/index.ts'
import { context, KEY_INFO, overAnswers } from './over.ts'

/** One answer of `test/fixtures/vault/errors.json`; its README says what `source` means. */
interface Fixture {
  readonly name: string
  readonly source: string
  readonly code: KmsErrorCode
  readonly operation: 'encrypt' | 'decrypt' | 'rotate' | 'keys' | 'login'
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

const path = new URL('../../../fixtures/vault/errors.json', import.meta.url)
const fixtures = JSON.parse(readFileSync(path, 'utf8')) as readonly Fixture[]
const title = ({ operation, name, status, source }: Fixture) =>
  `${operation}, ${name}: ${String(status)} (${source})`
const rows = fixtures.map((one) => [title(one), one] as const)

const wrap: WrappedKey = {
  provider: 'vault-transit',
  kekId: 'transit/app',
  kekVersion: '1',
  wrapped: encodeUtf8(`vault:v1:${'A'.repeat(80)}`),
}

/** Returns the error that the caller sees if its call gets this answer, and the number of requests. */
async function meet({ operation, status, headers, body }: Fixture) {
  const answers = () => new Response(body, { status, headers })
  const auth = vaultAppRole({ roleId: 'r', secretId: 'canary-secret' })
  const { kms, ports } = overAnswers(answers, operation === 'login' ? { auth } : {})
  const calls = {
    encrypt: () => kms.wrapDataKey(SecretBytes.take(new Uint8Array(32)), { context }),
    decrypt: () => kms.unwrapDataKey([wrap], { context }),
    rotate: () => kms.rotateKey({}),
    keys: () => kms.rotateKey({}),
    login: () => kms.currentVersion({}),
  }
  const error: unknown = await calls[operation]().then(
    () => 'no error',
    (caught: unknown) => caught,
  )
  if (!isKmsError(error)) throw new Error(`not a KmsError: ${String(error)}`)
  const asked = ports.sent.filter(({ method }) => method === 'POST').length
  return { error, asked }
}

describe('R22 answers of Vault', () => {
  it.each(rows)('%s', async (_title, fixture) => {
    const { error, asked } = await meet(fixture)
    const opaque = fixture.code === 'ERR_DECRYPT_FAILED'
    expect([error.code, asked]).toEqual([fixture.code, 1])
    expect(error.retryable).toBe(new KmsError(fixture.code).retryable)
    expect(error.status).toBe(opaque ? undefined : fixture.status)
    const provider = fixture.operation === 'login' ? 'vault-auth' : 'vault-transit'
    expect(error.provider).toBe(opaque ? undefined : provider)
    const waits = fixture.headers['retry-after']
    expect(error.retryAfterMs).toBe(waits === undefined ? undefined : Number(waits) * 1_000)
    if (opaque) expect(error.toJSON()).toEqual(new KmsError('ERR_DECRYPT_FAILED').toJSON())
  })

  it.each(rows)('R12 nothing of the body of %s is on the error', async (_title, fixture) => {
    const { error } = await meet(fixture)
    const printed = Reflect.ownKeys(error)
      .map((key) => inspect(Reflect.get(error, key)))
      .join('\n')
    const first = (
      JSON.parse(fixture.body.startsWith('{') ? fixture.body : '{}') as { errors?: string[] }
    ).errors?.[0]
    // Vault's own words may quote the request: at most two words of them are ours by chance.
    for (let at = 0; first !== undefined && at + 24 <= first.length; at++)
      expect(printed).not.toContain(first.slice(at, at + 24))
    expect(printed).not.toContain('canary')
  })

  it.each([
    ['transit', TRANSIT_ERRORS],
    ['login', LOGIN_ERRORS],
    ['common', COMMON_VAULT_ERRORS],
  ] as const)('has a fixture for each row of %s', (table, table_rows) => {
    const used = (row: VaultErrorRow) =>
      fixtures.some(({ status, body, operation }) => {
        const fits = (row.statuses ?? [400]).includes(status) && (row.says?.test(body) ?? true)
        return fits && (table === 'common' || (table === 'login') === (operation === 'login'))
      })
    expect(table_rows.filter((row) => !used(row)).map(({ message }) => message)).toEqual([])
  })

  it('an item of a batch has the code that its own call would have', async () => {
    const items = fixtures.filter(
      ({ status, operation }) => status === 400 && operation === 'decrypt',
    )
    const errors = items.map(({ body }) => (JSON.parse(body) as { errors: [string] }).errors[0])
    const data = { batch_results: errors.map((error) => ({ error })) }
    const { kms } = overAnswers(() => Response.json({ data }, { status: 400 }))
    const outcomes = await kms.unwrapMany(
      items.map(() => ({ wraps: [wrap], context })),
      {},
    )
    expect(items.length).toBeGreaterThan(5)
    expect(outcomes.map((one) => one.ok || one.error.code)).toEqual(items.map(({ code }) => code))
  })
})

describe('R9 answers that must not be believed', () => {
  const dek = encodeUtf8('canary-canary-canary-canary-cana')
  const plaintext = btoa('canary-canary-canary-canary-cana')
  const ciphertext = `vault:v3:${'A'.repeat(80)}`
  const seen = (error: unknown) => `${inspect(error, { depth: 9 })}${JSON.stringify(error)}`

  const encrypts: readonly (readonly [string, unknown])[] = [
    ['no data', {}],
    ['data null', { data: null }],
    ['no ciphertext', { data: {} }],
    ['another prefix', { data: { ciphertext: ciphertext.replace('vault:', 'other:') } }],
    ['another version than it is told', { data: { ciphertext, key_version: 2 } }],
    ['a version that is a text', { data: { ciphertext, key_version: '3' } }],
    ['version 0', { data: { ciphertext: ciphertext.replace('v3', 'v0') } }],
    ['a leading zero', { data: { ciphertext: ciphertext.replace('v3', 'v03') } }],
    ['a line break', { data: { ciphertext: `${ciphertext}\n` } }],
    ['base64url', { data: { ciphertext: `vault:v3:${'_-'.repeat(40)}` } }],
    ['a long one', { data: { ciphertext: `vault:v3:${'A'.repeat(400)}` } }],
    ['a list', { data: { ciphertext: [ciphertext] } }],
    ['an array', []],
  ]
  it.each(encrypts)('encrypt: %s', async (_what, answer) => {
    const { kms, ports } = overAnswers(() => Response.json(answer))
    const work = kms.wrapDataKey(SecretBytes.take(new Uint8Array(dek)), { context })
    expect(await codeOf(work)).toBe('ERR_KMS_RESPONSE_INVALID')
    expect(ports.sent).toHaveLength(2)
  })

  const decrypts: readonly (readonly [string, unknown])[] = [
    ['no data', {}],
    ['no plaintext', { data: {} }],
    ['no base64', { data: { plaintext: 'canary canary canary canary canary canary !!' } }],
    ['a number', { data: { plaintext: 7 } }],
  ]
  it.each(decrypts)('decrypt: %s', async (_what, answer) => {
    const { kms } = overAnswers(() => Response.json(answer))
    const error: unknown = await kms.unwrapDataKey([wrap], { context }).catch((e: unknown) => e)
    expect(isKmsError(error) && error.code).toBe('ERR_KMS_RESPONSE_INVALID')
    expect(seen(error)).not.toMatch(/canary/)
  })

  it('the answers that all others are a change of are taken', async () => {
    const { kms } = overAnswers(({ url }) =>
      Response.json({
        data: url.includes('/encrypt/') ? { ciphertext, key_version: 3 } : { plaintext },
      }),
    )
    const [made] = await kms.wrapDataKey(SecretBytes.take(new Uint8Array(dek)), { context })
    expect(made?.kekVersion).toBe('3')
    expect((await kms.unwrapDataKey([wrap], { context })).plaintext.expose()).toEqual(dek)
  })

  const infos: readonly (readonly [string, object, KmsErrorCode])[] = [
    ['of another key', { name: 'other' }, 'ERR_KMS_RESPONSE_INVALID'],
    ['without derived', { derived: undefined }, 'ERR_KMS_RESPONSE_INVALID'],
    ['with derived as text', { derived: 'false' }, 'ERR_KMS_RESPONSE_INVALID'],
    ['without a version', { latest_version: undefined }, 'ERR_KMS_RESPONSE_INVALID'],
    ['with a version as text', { latest_version: '3' }, 'ERR_KMS_RESPONSE_INVALID'],
    ['of a key that signs', { type: 'ed25519' }, 'ERR_KMS_CONFIG'],
    ['of no type', { type: undefined }, 'ERR_KMS_CONFIG'],
    ['of a deleted key', { soft_deleted: true }, 'ERR_KMS_KEY_DISABLED'],
  ]
  it.each(infos)('key info %s', async (_what, change, code) => {
    const answer = () => Response.json({ data: { ...KEY_INFO, ...change } })
    const { kms } = overAnswers(answer)
    expect(await codeOf(kms.rotateKey({}))).toBe(code)
  })

  it.each([0, 1, 3, 5])(
    'a batch of 2 that is answered with %i results fails as a whole',
    async (n) => {
      const data = { batch_results: Array.from({ length: n }, () => ({ plaintext })) }
      const { kms } = overAnswers(() => Response.json({ data }))
      const outcomes = await kms.unwrapMany(
        [
          { wraps: [wrap], context },
          { wraps: [wrap], context },
        ],
        {},
      )
      expect(outcomes.map((one) => one.ok || one.error.code)).toEqual([
        'ERR_KMS_RESPONSE_INVALID',
        'ERR_KMS_RESPONSE_INVALID',
      ])
    },
  )

  it('items of a batch that are nonsense fail alone', async () => {
    const results = [
      { plaintext },
      null,
      {},
      { plaintext: 'AAAA' },
      { error: 7 },
      'canary',
      { error: '', plaintext },
    ]
    const { kms } = overAnswers(() => Response.json({ data: { batch_results: results } }))
    const outcomes = await kms.unwrapMany(
      results.map(() => ({ wraps: [wrap], context })),
      {},
    )
    const invalid = 'ERR_KMS_RESPONSE_INVALID'
    expect(outcomes.map((one) => (one.ok ? 'ok' : one.error.code))).toEqual([
      'ok',
      invalid,
      invalid,
      'ok', // of three bytes: handed on
      invalid,
      invalid,
      'ok',
    ])
    expect(outcomes.map((one) => (one.ok ? '' : seen(one.error))).join()).not.toMatch(/canary/)
  })

  async function codeOf(work: Promise<unknown>): Promise<unknown> {
    return work.then(
      () => 'no error',
      (error: unknown) => (isKmsError(error) ? error.code : error),
    )
  }
})
