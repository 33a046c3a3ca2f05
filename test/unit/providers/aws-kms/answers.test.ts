import { readFileSync } from 'node:fs'
import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import { COMMON_AWS_ERRORS } from '../../../../src/credentials/aws/errors.ts'
import { STS_ERRORS } from '../../../../src/credentials/aws/sts.ts'
import { isKmsError, KmsError, type KmsErrorCode } from '../../../../src/errors.ts'
import type { WrappedKey } from '../../../../src/kms/index.ts'
import { AWS_KMS_ERRORS } from '../../../../src/providers/aws-kms/errors.ts'
import {
  assumeRole,
  assumeRoleWithWebIdentity,
  type AwsCredentialsOption,
  containerCredentials,
  createAwsKms,
} from '../../../../src/providers/aws-kms/index.ts'
import {
  START_MS,
  testPorts,
  type TestPorts,
  whilePausesPass,
} from '../../credentials/aws/ports.ts'

/** One answer of `test/fixtures/aws/errors.json`; its README says what `source` means. */
interface Fixture {
  readonly name: string
  readonly service: 'kms' | 'sts' | 'container'
  readonly source: string
  readonly code: KmsErrorCode
  readonly mend?: 'credentials' | 'clock'
  readonly operation?: string
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

const root = new URL('../../../../', import.meta.url)
const read = (path: string) => readFileSync(new URL(path, root), 'utf8')
const fixtures = JSON.parse(read('test/fixtures/aws/errors.json')) as readonly Fixture[]
const title = ({ service, name, status, source }: Fixture) =>
  `${service} ${name === '' ? 'no name' : name} ${String(status)} (${source})`

const keyId = 'arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab'
const region = 'us-east-1'
const roleArn = 'arn:aws:iam::111122223333:role/app'
const context = { 'edge-kms:dk': 'salt.1' }
const wrap: WrappedKey = {
  provider: 'aws-kms',
  kekId: keyId,
  kekVersion: '',
  wrapped: new Uint8Array(180).fill(7),
}

/** The call that a fixture answers. */
async function make(fixture: Fixture, ports: TestPorts, credentials: AwsCredentialsOption) {
  const { runtime, network } = ports
  const common = { region, runtime, network }
  switch (fixture.operation ?? fixture.service) {
    case 'AssumeRole':
      return assumeRole({ ...common, roleArn, credentials }).get({})
    case 'AssumeRoleWithWebIdentity': {
      const token = () => Promise.resolve('a.b.c')
      return assumeRoleWithWebIdentity({ ...common, roleArn, token }).get({})
    }
    case 'container':
      return containerCredentials({ relativeUri: '/v2', runtime, network }).get({})
  }
  const kms = createAwsKms({ keyId, credentials, runtime, network })
  switch (fixture.operation ?? 'GenerateDataKey') {
    case 'Decrypt':
      return kms.unwrapDataKey([wrap], { context })
    case 'RotateKeyOnDemand':
      return kms.rotateKey({})
    case 'DescribeKey':
      return createAwsKms({
        keyId: 'alias/app',
        region,
        credentials,
        runtime,
        network,
      }).currentVersion({})
    case 'GenerateDataKey':
      return kms.generateDataKey({ context })
    default:
      throw new Error(`no call for ${String(fixture.operation)}`)
  }
}

/** Returns the error that the caller sees if every request gets this answer, and the number of requests. */
async function meet(fixture: Fixture, clockOffMs = 0, credentials?: AwsCredentialsOption) {
  const { status, headers, body } = fixture
  const ports = testPorts(() => new Response(body, { status, headers }))
  ports.advance(Date.parse(headers['date'] ?? '') - START_MS + clockOffMs)
  const given = credentials ?? { accessKeyId: 'AKID', secretAccessKey: 'canary-secret' }
  const work = make(fixture, ports, given)
  const retries = fixture.service === 'container'
  const error: unknown = await (retries ? whilePausesPass(ports, work) : work).then(
    () => 'no error',
    (caught: unknown) => caught,
  )
  if (!isKmsError(error)) throw new Error(`not a KmsError: ${String(error)}`)
  return { error, requests: ports.sent.length }
}

/** The endpoint of a container is asked again where that may help. */
const requestsOf = ({ service, code }: Fixture): number =>
  service === 'container' && new KmsError(code).retryable ? 4 : 1

describe('R22 answers of AWS', () => {
  it.each(fixtures.map((one) => [title(one), one] as const))('%s', async (_title, fixture) => {
    const { code, name, service, status, headers } = fixture
    const { error, requests } = await meet(fixture)
    const opaque = code === 'ERR_DECRYPT_FAILED'
    expect([error.code, requests]).toEqual([code, requestsOf(fixture)])
    expect(error.retryable).toBe(new KmsError(code).retryable)
    expect(error.provider).toBe(opaque ? undefined : `aws-${service}`)
    expect(error.status).toBe(opaque ? undefined : status)
    const told = opaque || service === 'container'
    expect(error.requestId).toBe(told ? undefined : headers['x-amzn-requestid'])
    const waits = headers['retry-after']
    expect(error.retryAfterMs).toBe(waits === undefined ? undefined : Number(waits) * 1_000)
    expect(error.message.includes(name)).toBe(name === '' || !opaque)
    expect(opaque ? error.toJSON() : 'seen').toEqual(opaque ? plainFailure : 'seen')
  })

  const plainFailure = new KmsError('ERR_DECRYPT_FAILED').toJSON()

  it.each(fixtures.map((one) => [title(one), one] as const))(
    'R12 nothing of the body of %s is on the error',
    async (_title, fixture) => {
      const { error } = await meet(fixture)
      const values = Reflect.ownKeys(error).map((key) => inspect(Reflect.get(error, key)))
      const printed = values.join('\n')
      const { name, headers } = fixture
      // Name, operation and request id may be told; nothing else of 12 characters is in both.
      // The error names the configured key if AWS does not know it.
      const told = [keyId, name, error.operation ?? '', headers['x-amzn-requestid'] ?? '']
      const known = told.filter((one) => one !== '')
      const rest = known.reduce((text, word) => text.replaceAll(word, '|'), printed)
      const body = known.reduce((text, word) => text.replaceAll(word, '\n'), fixture.body)
      for (let at = 0; at + 12 <= body.length; at++)
        expect(rest).not.toContain(body.slice(at, at + 12))
      expect(printed).not.toContain('canary')
    },
  )

  const mended = (what: Fixture['mend']) =>
    fixtures.filter(({ mend }) => mend === what).map((one) => [title(one), one] as const)

  it.each(mended('clock'))('%s is tried again where the clock is off', async (_title, fixture) => {
    const { error, requests } = await meet(fixture, -1_200_000)
    expect([error.code, requests]).toEqual(['ERR_KMS_UNAUTHENTICATED', 2])
  })

  it.each(mended('credentials'))('%s is tried again with others', async (_title, fixture) => {
    let loads = 0
    const credentials = () =>
      Promise.resolve({ accessKeyId: `AKID${String((loads += 1))}`, secretAccessKey: 's' })
    const { error, requests } = await meet(fixture, 0, credentials)
    expect([error.code, requests, loads]).toEqual(['ERR_KMS_UNAUTHENTICATED', 2, 2])
  })

  it('no other is tried again, though the clock is off and others could be had', async () => {
    for (const fixture of fixtures.filter(({ mend }) => mend === undefined)) {
      const credentials = () => Promise.resolve({ accessKeyId: 'AKID', secretAccessKey: 's' })
      const { requests } = await meet(fixture, -1_200_000, credentials)
      expect([title(fixture), requests]).toEqual([title(fixture), requestsOf(fixture)])
    }
  })
})

describe('R22 answers of AWS: none is missing', () => {
  const short = (name: string) => name.replace(/Exception$/, '')
  const has = (service: string, name: string, code: string) =>
    fixtures.some(
      (one) => one.service === service && short(one.name) === short(name) && one.code === code,
    )

  it('every name in the tables of src has one', () => {
    const tables = [
      ['kms', AWS_KMS_ERRORS],
      ['kms', COMMON_AWS_ERRORS],
      ['sts', STS_ERRORS],
    ] as const
    const missing = tables.flatMap(([service, rows]) =>
      rows.flatMap(({ code, names }) =>
        names.split(' ').filter((name) => !has(service, name, code)),
      ),
    )
    expect(missing).toEqual([])
  })

  it('every row of the documentation has one, with its code', () => {
    const docs = read('docs/providers/aws-kms.md')
    const section = docs.slice(docs.indexOf('\n## Errors'), docs.indexOf('\n## Tests'))
    const rows = [...section.matchAll(/^\| (.*?) \| `(ERR_\w+)` \| (yes|no) \|/gm)]
    expect(rows.length).toBeGreaterThan(30)
    const problems = rows.flatMap(([, first = '', code = '', again]) => {
      const names = [...first.matchAll(/`([A-Za-z]{6,})`/g)].map(([, name = '']) => name)
      const missing = names
        .filter((name) => name !== 'timeoutMs')
        .filter((name) => !has('kms', name, code) && !has('sts', name, code))
      const retryable = new KmsError(code as KmsErrorCode).retryable ? 'yes' : 'no'
      return retryable === again ? missing : [...missing, `${first}: retryable`]
    })
    expect(problems).toEqual([])
  })

  it('no fixture is there twice, and each says where it comes from', () => {
    const titles = fixtures.map((one) => `${title(one)} ${one.operation ?? ''}`)
    expect(new Set(titles).size).toBe(titles.length)
    for (const { source } of fixtures)
      expect(source).toMatch(/^(recorded|documented|made up): .{4}/)
  })
})
