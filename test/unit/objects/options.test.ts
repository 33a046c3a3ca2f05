import { describe, expect, it } from 'vitest'
import {
  EncryptedBucket,
  r2Bucket,
  s3Bucket,
  type S3BucketOptions,
} from '../../../adapters/objects/index.ts'
import { cipherOf } from '../../support/objects/world.ts'
import { bucketOver, OneObject, place, scripted } from './s3-script.ts'

const config = expect.objectContaining({ code: 'ERR_KMS_CONFIG' }) as Error
const store = s3Bucket(place)
const good = { bucket: store, cipher: cipherOf(1), contextOf: () => ({}) }

describe('options of EncryptedBucket', () => {
  const wrong: Record<string, object> = {
    'no contextOf': { contextOf: undefined },
    'an aadOf that is not a function': { aadOf: {} },
    'a bare binding': { bucket: { put: () => undefined } },
    'no cipher': { cipher: undefined },
    'an unknown form': { form: 'references' },
    'parts that are too short': { partBytes: 5_242_879 },
    'parts that are too long': { partBytes: 104_857_601 },
    'no parts at once': { partsAtOnce: 0 },
    'too many parts at once': { partsAtOnce: 17 },
    'a misspelt option': { dataKeysStore: {} },
    'a dataKeyStore without compareAndSwap': { dataKeyStore: {} },
  }
  for (const [name, options] of Object.entries(wrong)) {
    it(`refuses ${name}`, () => {
      expect(() => new EncryptedBucket({ ...good, ...options })).toThrow(config)
    })
  }
})

describe('options of s3Bucket and r2Bucket', () => {
  const wrong: Record<string, object> = {
    'plain http': { endpoint: 'http://minio.example' },
    'loopback http that is not allowed': { endpoint: 'http://127.0.0.1:9000' },
    'a query in the endpoint': { endpoint: 'https://minio.example/?x' },
    'a bucket with a slash': { bucket: 'a/b' },
    'a bucket with capitals': { bucket: 'Files' },
    'a region that is none': { region: 'eu-central-1.evil.example/' },
    'auto as a region of AWS': { region: 'auto' },
    'fips with an endpoint': { endpoint: 'https://minio.example', fips: true },
    'a timeout above a minute': { timeoutMs: 60_001 },
    'a misspelt option': { pathstyle: true },
    'no credentials': { credentials: undefined },
  }
  for (const [name, options] of Object.entries(wrong)) {
    it(`refuses ${name}`, () => {
      expect(() => s3Bucket({ ...place, ...options })).toThrow(config)
    })
  }

  it('refuses what is not a binding of R2', () => {
    expect(() => r2Bucket(undefined as never)).toThrow(config)
    expect(() => r2Bucket({ get: () => null } as never)).toThrow(config)
  })

  const urls: [string, Partial<S3BucketOptions>, string][] = [
    ['in the host on AWS', {}, 'https://files.s3.eu-central-1.amazonaws.com/k'],
    [
      'in the path if it has a dot',
      { bucket: 'my.files' },
      'https://s3.eu-central-1.amazonaws.com/my.files/k',
    ],
    [
      'in the path of R2',
      { endpoint: 'https://acc.r2.cloudflarestorage.com', region: 'auto' },
      'https://acc.r2.cloudflarestorage.com/files/k',
    ],
    [
      'in the path of MinIO',
      { endpoint: 'http://127.0.0.1:9000', allowHttpLoopback: true },
      'http://127.0.0.1:9000/files/k',
    ],
    ['in a dual-stack host', { dualStack: true }, 'https://files.s3.eu-central-1.api.aws/k'],
  ]
  for (const [name, options, url] of urls) {
    it(`the bucket stands ${name}`, async () => {
      const { bucket, sent } = bucketOver(new OneObject().answer, options)
      await bucket.get('k')
      expect(sent[0]?.url.href).toBe(url)
    })
  }
})

describe('options of the calls', () => {
  const bucket = (): EncryptedBucket => bucketOver(new OneObject().answer).bucket
  const puts: Record<string, object> = {
    httpMetadata: { httpMetadata: { contentType: 'text/html' } },
    'a customer key': { ssecKey: 'x' },
    'a misspelt option': { customMetaData: {} },
    'a name with capitals': { customMetadata: { Author: 'x' } },
    'the reserved name': { customMetadata: { 'edge-kms': '1 5' } },
    'a name that begins with it': { customMetadata: { 'edge-kms-x': 'x' } },
    'a line break in a value': { customMetadata: { a: 'x\r\ny: z' } },
    'a value that is not ASCII': { customMetadata: { a: 'ä' } },
    'an empty value': { customMetadata: { a: '' } },
    'a quoted ETag': { onlyIf: { etagMatches: '"abc"' } },
    'an asterisk as the ETag to match': { onlyIf: { etagMatches: '*' } },
    'headers as a condition': { onlyIf: new Headers({ 'if-match': 'x' }) },
    'a date as a condition': { onlyIf: { uploadedBefore: new Date() } },
  }
  for (const [name, options] of Object.entries(puts)) {
    it(`put refuses ${name}`, async () => {
      await expect(bucket().put('a', 'x', options)).rejects.toThrow(config)
    })
  }

  const lost: Record<string, object> = {
    'a Map as metadata': { customMetadata: new Map([['a', 'x']]) },
    'headers as metadata': { customMetadata: new Headers({ a: 'x' }) },
    'metadata that is inherited': { customMetadata: Object.create({ a: 'x' }) as object },
    'a Map as a condition': { onlyIf: new Map([['etagMatches', 'x']]) },
    'an array as a condition': { onlyIf: ['x'] },
    'a condition without an ETag': { onlyIf: {} },
    'a condition whose ETag is undefined': { onlyIf: { etagMatches: undefined } },
    'a condition with one undefined ETag of two': {
      onlyIf: { etagMatches: 'abc', etagDoesNotMatch: undefined },
    },
    'a condition that is inherited': { onlyIf: Object.create({ etagMatches: 'x' }) as object },
  }
  for (const [name, options] of Object.entries(lost)) {
    it(`put refuses ${name}: it would be lost in silence`, async () => {
      const { bucket: full, sent } = bucketOver(new OneObject().answer)
      await expect(full.put('a', 'x', options)).rejects.toThrow(config)
      expect(sent).toEqual([])
    })
  }

  it('every method refuses options that are not a plain object, and a signal that is none', async () => {
    const { bucket: full, sent } = bucketOver(new OneObject().answer)
    const wrong = [null, 5, 'x', new Map(), { signal: {} }, { signal: new AbortController() }]
    for (const options of wrong as object[]) {
      await expect(full.put('a', 'x', options)).rejects.toThrow(config)
      await expect(full.get('a', options)).rejects.toThrow(config)
      await expect(full.head('a', options)).rejects.toThrow(config)
      await expect(full.rewrap('a', options)).rejects.toThrow(config)
    }
    expect(sent).toEqual([])
  })

  const contexts: Record<string, () => unknown> = {
    nothing: () => undefined,
    null: () => null,
    'a promise': async () => Promise.resolve({ tenant: 'a' }),
    'a Map': () => new Map([['tenant', 'a']]),
    'a text': () => 'acme',
    'an array': () => ['acme'],
  }
  for (const [name, contextOf] of Object.entries(contexts)) {
    it(`a contextOf that answers ${name} binds no tenant, and is refused`, async () => {
      const { network, sent } = scripted(new OneObject().answer)
      const bucketOfContext = (given: unknown): EncryptedBucket =>
        new EncryptedBucket({
          ...good,
          bucket: s3Bucket({ ...place, network }),
          contextOf: given as () => Record<string, string>,
        })
      await expect(bucketOfContext(contextOf).put('a', 'x')).rejects.toThrow(config)
      expect(sent).toEqual([])
      await bucketOfContext(() => ({})).put('a', 'x')
      await expect(bucketOfContext(contextOf).get('a')).rejects.toThrow(config)
      const range = { offset: 0, length: 1 }
      await expect(bucketOfContext(contextOf).get('a', { range })).rejects.toThrow(config)
      await expect(bucketOfContext(contextOf).rewrap('a')).rejects.toThrow(config)
    })
  }

  it('put refuses metadata above 2,048 bytes before anything is sent', async () => {
    const { bucket: full, sent } = bucketOver(new OneObject().answer)
    const customMetadata = { a: 'x'.repeat(2_040) }
    await expect(full.put('a', 'x', { customMetadata })).rejects.toThrow(RangeError)
    expect(sent).toEqual([])
  })

  it('put refuses values that it cannot encrypt', async () => {
    for (const value of [5, {}, undefined, '\ud800']) {
      await expect(bucket().put('a', value as string)).rejects.toThrow(TypeError)
    }
  })

  it('put over S3 refuses a condition that S3 has not', async () => {
    const onlyIf = { etagDoesNotMatch: 'abc' }
    await expect(bucket().put('a', 'x', { onlyIf })).rejects.toMatchObject({
      code: 'ERR_KMS_UNSUPPORTED',
    })
  })

  it('aadOf may not take the place of the metadata', async () => {
    const { network } = scripted(new OneObject().answer)
    const files = new EncryptedBucket({
      ...good,
      bucket: s3Bucket({ ...place, network }),
      aadOf: () => ({ 'object-metadata': '[]' }),
    })
    await expect(files.put('a', 'x')).rejects.toThrow(config)
  })

  const gets: Record<string, object> = {
    'a misspelt option': { ranges: {} },
    'a range of headers': { range: new Headers() },
    'an unknown name in a range': { range: { from: 1 } },
    'a suffix and an offset': { range: { suffix: 1, offset: 1 } },
    'a fraction': { range: { offset: 0.5 } },
  }
  for (const [name, options] of Object.entries(gets)) {
    it(`get refuses ${name}`, async () => {
      await expect(bucket().get('a', options as { range: { offset: number } })).rejects.toThrow()
    })
  }
})
