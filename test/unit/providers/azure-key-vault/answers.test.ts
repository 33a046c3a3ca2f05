import { existsSync, readFileSync } from 'node:fs'
import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import { TOKEN_ERRORS } from '../../../../src/credentials/azure/token-answer.ts'
import { isKmsError, KmsError, type KmsErrorCode } from '../../../../src/errors.ts'
import type { WrappedKey } from '../../../../src/kms/index.ts'
import { AZURE_KEY_VAULT_ERRORS } from '../../../../src/providers/azure-key-vault/errors.ts'
import {
  azureClientSecret,
  type AzureCredentialsOption,
  azureManagedIdentity,
  createAzureKeyVaultKms,
} from '../../../../src/providers/azure-key-vault/index.ts'
import { testPorts, type TestPorts, whilePausesPass } from '../../credentials/aws/ports.ts'

/** One answer of `test/fixtures/azure/errors.json`; its README says what `source` means. */
interface Fixture {
  readonly name: string
  readonly service: 'vault' | 'entra' | 'identity'
  readonly source: string
  readonly code: KmsErrorCode
  readonly operation?: string
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

const root = new URL('../../../../', import.meta.url)
const read = (path: string) => readFileSync(new URL(path, root), 'utf8')
const fixtures = JSON.parse(read('test/fixtures/azure/errors.json')) as readonly Fixture[]
const title = ({ service, name, status, source }: Fixture) =>
  `${service} ${name === '' ? 'no name' : name} ${String(status)} (${source})`

const keyId = 'https://acme.vault.azure.net/keys/app'
const tenantId = '72f0a1c4-0000-4000-8000-000000000001'
const clientId = '72f0a1c4-0000-4000-8000-000000000002'
const context = { 'edge-kms:dk': 'salt.1' }
const wrap: WrappedKey = {
  provider: 'azure-key-vault',
  kekId: keyId,
  kekVersion: '0123456789abcdef0123456789abcdef',
  wrapped: new Uint8Array(256).fill(7),
}
const resource = 'https://vault.azure.net'

/** The call that a fixture answers. */
async function make(fixture: Fixture, ports: TestPorts, credentials: AzureCredentialsOption) {
  const { runtime, network } = ports
  const common = { runtime, network }
  if (fixture.service === 'entra')
    return azureClientSecret({ ...common, tenantId, clientId, clientSecret: 'canary' }).get({
      resource,
    })
  if (fixture.service === 'identity') return azureManagedIdentity(common).get({ resource })
  const kms = createAzureKeyVaultKms({ ...common, keyId, credentials })
  switch (fixture.operation ?? 'wrapKey') {
    case 'unwrapKey':
      return kms.unwrapDataKey([wrap], { context })
    case 'rotate':
      return kms.rotateKey({})
    case 'wrapKey':
      return kms.generateDataKey({ context })
    default:
      throw new Error(`no call for ${String(fixture.operation)}`)
  }
}

/** Returns the error that the caller sees if every request gets this answer, and the number of requests. */
async function meet(fixture: Fixture, given?: AzureCredentialsOption) {
  const { status, headers, body } = fixture
  const ports = testPorts(() => new Response(body, { status, headers }))
  const credentials = given ?? (() => Promise.resolve({ token: 'canary-token' }))
  const work = make(fixture, ports, credentials)
  const retries = fixture.service === 'identity'
  const error: unknown = await (retries ? whilePausesPass(ports, work) : work).then(
    () => 'no error',
    (caught: unknown) => caught,
  )
  if (!isKmsError(error)) throw new Error(`not a KmsError: ${String(error)}`)
  return { error, requests: ports.sent.length }
}

const cases = fixtures.map((one) => [title(one), one] as const)
const PROVIDERS = { vault: 'azure-key-vault', entra: 'azure-entra', identity: 'azure-identity' }

describe('R22 answers of Azure', () => {
  const plainFailure = new KmsError('ERR_DECRYPT_FAILED').toJSON()

  it.each(cases)('%s', async (_title, fixture) => {
    const { code, name, service, status, headers } = fixture
    const { error, requests } = await meet(fixture)
    const opaque = code === 'ERR_DECRYPT_FAILED'
    const retries = fixture.service === 'identity' && error.retryable
    expect([error.code, requests]).toEqual([code, retries ? 4 : 1])
    expect(error.retryable).toBe(new KmsError(code).retryable)
    expect(error.provider).toBe(opaque ? undefined : PROVIDERS[service])
    expect(error.status).toBe(opaque ? undefined : status)
    expect(error.requestId).toBe(opaque ? undefined : headers['x-ms-request-id'])
    const waits = headers['retry-after']
    expect(error.retryAfterMs).toBe(waits === undefined ? undefined : Number(waits) * 1_000)
    expect(error.message.includes(name)).toBe(name === '' || !opaque)
    expect(opaque ? error.toJSON() : 'seen').toEqual(opaque ? plainFailure : 'seen')
  })

  it.each(cases)('R12 nothing of the body of %s is on the error', async (_title, fixture) => {
    const { error } = await meet(fixture)
    const printed = Reflect.ownKeys(error)
      .map((key) => inspect(Reflect.get(error, key)))
      .join('\n')
    // Names, operation and request id may be told; nothing else of 12 characters is in both.
    const told = [fixture.name, error.operation ?? '', fixture.headers['x-ms-request-id'] ?? '']
    const known = told.filter((one) => one !== '')
    const rest = known.reduce((text, word) => text.replaceAll(word, '|'), printed)
    const body = known.reduce((text, word) => text.replaceAll(word, '\n'), fixture.body)
    for (let at = 0; at + 12 <= body.length; at++)
      expect(rest).not.toContain(body.slice(at, at + 12))
    expect(printed).not.toContain('canary')
  })

  const statuses = fixtures.filter(({ service }) => service === 'vault')

  it('a 401 is tried again with another token, once, and no other answer is', async () => {
    for (const fixture of statuses) {
      let tokens = 0
      const credentials = () => Promise.resolve({ token: `token-${String((tokens += 1))}` })
      const { requests } = await meet(fixture, credentials)
      expect([title(fixture), requests]).toEqual([title(fixture), fixture.status === 401 ? 2 : 1])
    }
  })

  it('a 401 is not tried again where there is no other token', async () => {
    const fixture = statuses.find(({ status }) => status === 401)
    if (fixture === undefined) throw new Error('no fixture')
    expect((await meet(fixture)).requests).toBe(1)
  })
})

describe('R22 answers of Azure: none is missing', () => {
  const has = (services: readonly string[], name: string, code: string) =>
    fixtures.some((one) => services.includes(one.service) && one.name === name && one.code === code)

  it('every name in the tables of src has one', () => {
    const tables = [
      [['vault'], AZURE_KEY_VAULT_ERRORS],
      [['entra', 'identity'], TOKEN_ERRORS],
    ] as const
    const missing = tables.flatMap(([services, rows]) =>
      rows.flatMap(({ code, names }) =>
        names.split(' ').filter((name) => !has(services, name, code)),
      ),
    )
    expect(missing).toEqual([])
  })

  it('every row of the documentation has one, with its code', () => {
    expect(existsSync(new URL('docs/providers/azure-key-vault.md', root))).toBe(true)
    const docs = read('docs/providers/azure-key-vault.md')
    const section = docs.slice(docs.indexOf('\n## Errors'), docs.indexOf('\n## Tests'))
    const rows = [...section.matchAll(/^\| (.*?) \| `(ERR_\w+)` \| (yes|no) \|/gm)]
    expect(rows.length).toBeGreaterThan(15)
    const problems = rows.flatMap(([, first = '', code = '', again]) => {
      const names = [...first.matchAll(/`([A-Za-z_0-9]{6,})`/g)].map(([, name = '']) => name)
      const missing = names
        .filter((name) => name !== 'timeoutMs')
        .filter((name) => !has(['vault', 'entra', 'identity'], name, code))
      const retryable = new KmsError(code as KmsErrorCode).retryable ? 'yes' : 'no'
      return retryable === again ? missing : [...missing, `${first}: retryable`]
    })
    expect(problems).toEqual([])
  })

  it('no fixture is there twice, and each says where it comes from', () => {
    const titles = fixtures.map((one) => `${title(one)} ${one.operation ?? ''}`)
    expect(new Set(titles).size).toBe(titles.length)
    for (const { source } of fixtures) expect(source).toMatch(/^(documented|made up): .{4}/)
  })
})
