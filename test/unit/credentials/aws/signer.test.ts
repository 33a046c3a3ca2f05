import { AwsV4Signer } from 'aws4fetch'
import fc from 'fast-check'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { nodeAwsSigner } from '../../../../adapters/node/index.ts'
import { createAwsSigner } from '../../../../src/credentials/aws/signer.ts'
import { SigningKeys } from '../../../../src/credentials/aws/signing-keys.ts'
import { START_MS } from './ports.ts'

const DAY_MS = 86_400_000
const word = fc.stringMatching(/^[A-Za-z0-9/+=]{1,40}$/)
const region = fc.constantFrom('eu-central-1', 'us-gov-west-1', 'cn-north-1')
const request = {
  method: 'POST',
  url: 'https://kms.eu-central-1.amazonaws.com/',
  headers: { 'x-amz-target': 'TrentService.Decrypt' },
  body: '{}',
  service: 'kms',
  region: 'eu-central-1',
} as const
const credentials = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'canary-secret' }

afterEach(() => {
  vi.restoreAllMocks()
})

it.each([
  ['the default', createAwsSigner()],
  ['edge-kms/node', nodeAwsSigner],
])('%s signs what aws4fetch signs with a cache of its own', async (_name, signer) => {
  await fc.assert(
    fc.asyncProperty(
      word,
      fc.option(word, { nil: undefined }),
      region,
      fc.string(),
      fc.integer({ min: 1_600_000_000, max: 4_000_000_000 }),
      async (secretAccessKey, sessionToken, regionName, body, seconds) => {
        const one = {
          ...request,
          url: `https://kms.${regionName}.amazonaws.com/a%20b/?b=2&a=%2F`,
          // One name is the beginning of another: names are sorted, not lines.
          headers: { 'x-amz-target': 'TrentService.Decrypt', 'x-amz-date-of': 'today' },
          body,
          region: regionName,
        }
        const own = { ...credentials, secretAccessKey, ...(sessionToken && { sessionToken }) }
        const ours = await signer.sign({ ...one, nowMs: seconds * 1_000 }, own)
        const datetime = ours['x-amz-date'] ?? ''
        const peer = await new AwsV4Signer({ ...one, ...own, datetime, allHeaders: true }).sign()
        expect(ours).toEqual(Object.fromEntries(peer.headers))
      },
    ),
    { numRuns: 200 },
  )
})

describe('the key cache of the signer', () => {
  const importsOf = async (work: () => Promise<unknown>): Promise<number> => {
    const spy = vi.spyOn(crypto.subtle, 'importKey')
    await work()
    const { length } = spy.mock.calls
    spy.mockRestore()
    return length
  }

  it('derives a key once a day for each credentials object', async () => {
    const signer = createAwsSigner()
    const at = (nowMs: number, own = credentials) => signer.sign({ ...request, nowMs }, own)
    // Four steps of the derivation, and the signature.
    expect(await importsOf(() => at(START_MS))).toBe(5)
    expect(await importsOf(() => at(START_MS + 1_000))).toBe(1)
    expect(await importsOf(() => at(START_MS + DAY_MS))).toBe(5)
    expect(await importsOf(() => at(START_MS, { ...credentials }))).toBe(5)
  })

  it('does not give a key of one secret to credentials with the same key id', async () => {
    const signer = createAwsSigner()
    const one = await signer.sign({ ...request, nowMs: START_MS }, credentials)
    const other = { ...credentials, secretAccessKey: 'another' }
    const two = await signer.sign({ ...request, nowMs: START_MS }, other)
    expect(two['authorization']).not.toBe(one['authorization'])
  })

  it('holds at most 8 keys for each credentials object', () => {
    const keys = new SigningKeys<number>()
    for (let i = 0; i < 1_000; i++) keys.set(credentials, String(i), i)
    const held = Array.from({ length: 1_000 }, (_, i) => keys.get(credentials, String(i)))
    expect(held.filter((key) => key !== undefined).length).toBeLessThanOrEqual(8)
    expect(held.at(-1)).toBe(999)
  })

  it('has no secret in its names', async () => {
    const names = vi.spyOn(SigningKeys.prototype, 'set')
    await createAwsSigner().sign({ ...request, nowMs: START_MS }, credentials)
    expect(names.mock.calls.map(([, name]) => name)).toEqual(['20260101/eu-central-1/kms'])
  })
})
