import { build } from 'esbuild'
import { Miniflare } from 'miniflare'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createFakeAws } from '../../../../adapters/fakes/index.ts'
import { base64, kmsRequest } from './client.ts'

let worker: Miniflare

beforeAll(async () => {
  const bundle = await build({
    entryPoints: [fileURLToPath(new URL('fake-aws.worker.ts', import.meta.url))],
    bundle: true,
    format: 'esm',
    platform: 'browser',
    conditions: ['workerd'],
    write: false,
  })
  worker = new Miniflare({
    modules: true,
    script: bundle.outputFiles[0]?.text ?? '',
    compatibilityDate: '2026-07-01',
  })
  await worker.ready
})

afterAll(() => worker.dispose())

/** Signs outside of workerd, with the same example credentials. */
async function call(operation: string, input: object, change: Record<string, string> = {}) {
  const { url, headers } = await kmsRequest(createFakeAws(), operation, input)
  const sent = { ...Object.fromEntries(headers), ...change }
  const answer = await worker.dispatchFetch(url, {
    method: 'POST',
    headers: sent,
    body: JSON.stringify(input),
  })
  return { status: answer.status, json: (await answer.json()) as Record<string, unknown> }
}

describe('fake AWS inside workerd', () => {
  it('answers signed calls', async () => {
    const encrypted = await call('Encrypt', { KeyId: 'alias/app', Plaintext: base64('secret') })
    expect(encrypted.status).toBe(200)
    const opened = await call('Decrypt', { CiphertextBlob: encrypted.json['CiphertextBlob'] })
    expect(opened.json['Plaintext']).toBe(base64('secret'))
  })

  it('refuses a signature that is wrong', async () => {
    const change = { 'x-amz-date': '20200101T000000Z' }
    const { status, json } = await call('DescribeKey', { KeyId: 'alias/app' }, change)
    expect([status, json['__type']]).toEqual([400, 'InvalidSignatureException'])
  })

  it('serves the provider in the same Worker', async () => {
    const answer = await worker.dispatchFetch('https://worker.example/envelope')
    const { text, operations } = (await answer.json()) as Record<string, unknown>
    expect(text).toBe('4111 1111')
    expect(operations).toContain('GenerateDataKey')
    expect(operations).toContain('Decrypt')
  })
})
