import { readFileSync } from 'node:fs'
import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import { GCP_ERRORS } from '../../../../src/credentials/gcp/errors.ts'
import { isKmsError, KmsError, type KmsErrorCode } from '../../../../src/errors.ts'
import type { GcpCredentialsOption } from '../../../../src/providers/gcp-kms/index.ts'
import { context, over, wrap } from './over.ts'

/** One answer of `test/fixtures/gcp/errors.json`; its README says what `source` means. */
interface Fixture {
  readonly name: string
  readonly source: string
  readonly code: KmsErrorCode
  readonly mend?: true
  readonly operation?: 'Decrypt'
  readonly waitsMs?: number
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

const root = new URL('../../../../', import.meta.url)
const read = (path: string) => readFileSync(new URL(path, root), 'utf8')
const fixtures = JSON.parse(read('test/fixtures/gcp/errors.json')) as readonly Fixture[]
const title = ({ name, status, source, operation }: Fixture) =>
  `${operation ?? 'Encrypt'} ${name === '' ? 'no name' : name} ${String(status)} (${source})`

/** Returns the error that the caller sees if every request gets this answer, and the number of requests. */
async function meet(fixture: Fixture, credentials?: GcpCredentialsOption) {
  const { status, headers, body, operation } = fixture
  const answer = () => new Response(body, { status, headers })
  const { kms, ports } = over(answer, credentials === undefined ? {} : { credentials })
  const work =
    operation === 'Decrypt'
      ? kms.unwrapDataKey([wrap], { context })
      : kms.generateDataKey({ context })
  const error: unknown = await work.then(
    () => 'no error',
    (caught: unknown) => caught,
  )
  if (!isKmsError(error)) throw new Error(`not a KmsError: ${String(error)}`)
  return { error, requests: ports.sent.length }
}

describe('R22 answers of Google', () => {
  it.each(fixtures.map((one) => [title(one), one] as const))('%s', async (_title, fixture) => {
    const { code, name, status, operation = 'Encrypt', waitsMs } = fixture
    const { error, requests } = await meet(fixture)
    const opaque = code === 'ERR_DECRYPT_FAILED'
    expect([error.code, requests]).toEqual([code, 1])
    expect(error.retryable).toBe(new KmsError(code).retryable)
    expect(error.toJSON()).toEqual(
      opaque
        ? new KmsError(code).toJSON()
        : {
            ...new KmsError(code).toJSON(),
            provider: 'gcp-kms',
            operation,
            status,
            ...(name !== '' && { message: `Google answered ${name}` }),
            ...(waitsMs !== undefined && { retryAfterMs: waitsMs }),
          },
    )
  })

  it.each(fixtures.map((one) => [title(one), one] as const))(
    'R12 nothing of the body of %s is on the error',
    async (_title, fixture) => {
      const { error } = await meet(fixture)
      const printed = Reflect.ownKeys(error)
        .map((key) => inspect(Reflect.get(error, key)))
        .join('\n')
      // Name and operation may be told; nothing else of 12 characters is in both.
      const known = [fixture.name, error.operation ?? ''].filter((one) => one !== '')
      // Only our own words may show: the code, and the one sentence of a failed decrypt.
      const own = [...known, error.code, new KmsError('ERR_DECRYPT_FAILED').message]
      const rest = own.reduce((text, word) => text.replaceAll(word, '|'), printed)
      const body = known.reduce((text, word) => text.replaceAll(word, '\n'), fixture.body)
      for (let at = 0; at + 12 <= body.length; at++)
        expect(rest).not.toContain(body.slice(at, at + 12))
      expect(printed).not.toContain('canary')
    },
  )

  const mended = fixtures.filter(({ mend }) => mend).map((one) => [title(one), one] as const)

  it.each(mended)('%s is tried again once with another token', async (_title, fixture) => {
    let loads = 0
    const credentials = () => Promise.resolve({ token: `ya29.${String((loads += 1))}` })
    const { error, requests } = await meet(fixture, credentials)
    expect([error.code, requests, loads]).toEqual(['ERR_KMS_UNAUTHENTICATED', 2, 2])
  })

  it('no other is tried again, though another token could be had', async () => {
    for (const fixture of fixtures.filter(({ mend }) => mend === undefined)) {
      const { requests } = await meet(fixture, () => Promise.resolve({ token: 'ya29.a' }))
      expect([title(fixture), requests]).toEqual([title(fixture), 1])
    }
  })
})

describe('R22 answers of Google: none is missing', () => {
  it('every name in the table of src has one', () => {
    const has = (name: string, code: string) =>
      fixtures.some((one) => one.code === code && one.body.includes(`"${name}"`))
    const missing = GCP_ERRORS.flatMap(({ code, names }) =>
      names.split(' ').filter((name) => !has(name, code)),
    )
    expect(missing).toEqual([])
  })

  it('every row of the documentation has one, with its code', () => {
    const docs = read('docs/providers/gcp-kms.md')
    const section = docs.slice(docs.indexOf('\n## Errors'), docs.indexOf('\n## Tests'))
    const rows = [...section.matchAll(/^\| (.*?) \| `(ERR_\w+)` \| (yes|no) \|/gm)]
    expect(rows.length).toBeGreaterThan(14)
    const problems = rows.flatMap(([, first = '', code = '', again]) => {
      const names = [...first.matchAll(/`([A-Z_]{6,})`/g)].map(([, name = '']) => name)
      const missing = names.filter(
        (name) => !fixtures.some((one) => one.code === code && one.body.includes(`"${name}"`)),
      )
      const damaged = first.startsWith('a checksum in the answer')
      const retryable = damaged || new KmsError(code as KmsErrorCode).retryable ? 'yes' : 'no'
      return retryable === again ? missing : [...missing, `${first}: retryable`]
    })
    expect(problems).toEqual([])
  })

  it('no fixture is there twice, and each says where it comes from', () => {
    const titles = fixtures.map((one) => `${title(one)} ${one.body}`)
    expect(new Set(titles).size).toBe(titles.length)
    for (const { source } of fixtures)
      expect(source).toMatch(/^(recorded|documented|made up): .{4}/)
  })
})
