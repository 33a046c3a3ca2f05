import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createFakeAws } from '../../../adapters/fakes/index.ts'
import {
  createNodeNetwork,
  nodeAwsSigner,
  type NodeNetwork,
  nodePlatform,
} from '../../../adapters/node/index.ts'
import { s3Bucket } from '../../../adapters/objects/index.ts'
import { anyKmsFromEnv, createKms } from '../../../src/config/index.ts'
import { gcpWorkloadIdentityFromAws } from '../../../src/credentials/gcp/index.ts'
import { vaultAwsIam } from '../../../src/credentials/vault/index.ts'
import { stackFromEnv } from '../../../src/index.ts'
import { assumeRole, awsKmsFromEnv, createAwsKms } from '../../../src/providers/aws-kms/index.ts'
import { createVaultTransitKms } from '../../../src/providers/vault-transit/index.ts'
import { DynamoDbKeyValueStore } from '../../../src/stores/index.ts'
import { webNetwork } from '../../../src/runtime/index.ts'

const aws = createFakeAws()
const keyId = aws.createKey().arn
const credentials = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'example' }
const region = 'eu-central-1'
const call = { context: { 'edge-kms:dk': 'a.1' } }

/** Counts what is signed, over a network that answers nothing. */
function counting(): { network: NodeNetwork; sign: ReturnType<typeof vi.fn> } {
  const sign = vi.fn(nodeAwsSigner.sign.bind(nodeAwsSigner))
  const fetch = (): Promise<never> => Promise.reject(new Error('no network in this test'))
  return { network: { ...createNodeNetwork(), fetch, awsSigner: { sign } }, sign }
}

/** Every part that signs for AWS, over one network, with no other option that speaks of signing. */
const parts: Record<string, (network: NodeNetwork) => Promise<unknown>> = {
  createAwsKms: (network) => createAwsKms({ keyId, credentials, network }).generateDataKey(call),
  createKms: (network) =>
    createKms(
      { provider: 'aws-kms', keyId, credentials: { type: 'static', ...credentials } },
      { network },
    ).generateDataKey(call),
  assumeRole: (network) =>
    assumeRole({
      region,
      roleArn: 'arn:aws:iam::111122223333:role/app',
      credentials,
      network,
    }).get({}),
  DynamoDbKeyValueStore: (network) =>
    new DynamoDbKeyValueStore({ table: 'keys', region, credentials, network }).get('a'),
  s3Bucket: (network) =>
    s3Bucket({ bucket: 'files-of-a-test', region, credentials, network }).discard('a', {
      etag: 'e',
      version: undefined,
    }),
  gcpWorkloadIdentityFromAws: (network) =>
    gcpWorkloadIdentityFromAws({
      audience:
        '//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/pool/providers/some-aws',
      region,
      credentials,
      network,
    }).get({}),
  vaultAwsIam: (network) =>
    createVaultTransitKms({
      endpoint: 'https://vault.example.test',
      key: 'app',
      auth: vaultAwsIam({ credentials }),
      network,
    }).generateDataKey(call),
}

describe('createNodeNetwork', () => {
  it.each(Object.entries(parts))('signs for %s without a further option', async (_name, use) => {
    const { network, sign } = counting()
    await use(network).catch(() => undefined)
    expect(sign).toHaveBeenCalled()
  })

  it('leaves the signature to a signer that is given', async () => {
    const { network, sign } = counting()
    const own = vi.fn(nodeAwsSigner.sign.bind(nodeAwsSigner))
    const kms = createAwsKms({ keyId, credentials, network, signer: { sign: own } })
    await kms.generateDataKey(call).catch(() => undefined)
    expect(own).toHaveBeenCalled()
    expect(sign).not.toHaveBeenCalled()
  })

  it('a network without a signer signs with WebCrypto', async () => {
    const kms = createAwsKms({ keyId, credentials: aws.credentials, network: aws.network })
    expect('awsSigner' in aws.network).toBe(false)
    expect('awsSigner' in webNetwork).toBe(false)
    const sign = vi.spyOn(crypto.subtle, 'sign')
    await kms.generateDataKey(call)
    expect(sign).toHaveBeenCalled()
    sign.mockRestore()
  })
})

describe('nodePlatform', () => {
  let server: Server
  let endpoint = ''
  let folder = ''

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'edge-kms-platform-'))
    server = createServer((incoming, outgoing) => {
      void (async () => {
        const pieces: Buffer[] = []
        for await (const piece of incoming) pieces.push(piece as Buffer)
        const headers = incoming.headers as Record<string, string>
        const init = { method: 'POST', headers, body: Buffer.concat(pieces) }
        const answer = await aws.fetch(new Request(`${endpoint}/`, init))
        outgoing.writeHead(answer.status, Object.fromEntries(answer.headers))
        outgoing.end(Buffer.from(await answer.arrayBuffer()))
      })()
    })
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve)
    })
    endpoint = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`
  })
  afterEach(async () => {
    vi.restoreAllMocks()
    await new Promise((resolve) => server.close(resolve))
    await rm(folder, { recursive: true })
  })

  const envOf = (): Record<string, string> => ({
    EDGE_KMS_AWS_KEY_ID: keyId,
    EDGE_KMS_AWS_ENDPOINT: endpoint,
    AWS_ACCESS_KEY_ID: aws.credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: aws.credentials.secretAccessKey,
  })

  it.each([
    ['awsKmsFromEnv', awsKmsFromEnv],
    ['anyKmsFromEnv', anyKmsFromEnv],
  ])('sends and signs with the modules of Node for %s', async (_name, kms) => {
    const fetch = vi.spyOn(globalThis, 'fetch')
    const platform = nodePlatform()
    const sign = vi.spyOn(platform.network.awsSigner, 'sign')
    const { cipher } = stackFromEnv(envOf(), { kms, ...platform })
    const envelope = await cipher.encryptText('4111 1111')
    cipher.clear()
    expect(await cipher.decryptText(envelope)).toBe('4111 1111')
    expect(sign).toHaveBeenCalledTimes(2)
    expect(fetch).not.toHaveBeenCalled()
    platform.network.close()
  })

  it('sends with fetch on Bun, unless an option asks for more', async () => {
    vi.stubGlobal('process', { ...process, versions: { ...process.versions, bun: '1.4.5' } })
    const fetch = vi.spyOn(globalThis, 'fetch').mockRejectedValue(new Error('not sent'))
    const { network } = nodePlatform()
    await expect(network.fetch(endpoint, {})).rejects.toThrow('not sent')
    expect(network.awsSigner).toBe(nodeAwsSigner)
    network.close()
    const bounded = nodePlatform({ maxConnections: 2 }).network
    expect((await bounded.fetch(endpoint, { method: 'POST', body: '{}' })).status).toBe(400)
    bounded.close()
    expect(fetch).toHaveBeenCalledTimes(1)
    vi.unstubAllGlobals()
  })

  it('reads the files that variables name', async () => {
    const path = join(folder, 'token')
    await writeFile(path, 'not a token')
    const { readTextFile, network } = nodePlatform()
    expect(await readTextFile(path)).toBe('not a token')
    const env = {
      EDGE_KMS_AWS_KEY_ID: keyId,
      AWS_WEB_IDENTITY_TOKEN_FILE: path,
      AWS_ROLE_ARN: 'arn:aws:iam::111122223333:role/app',
    }
    expect(() => stackFromEnv(env, { kms: awsKmsFromEnv, network })).toThrow('readTextFile')
    expect(() => stackFromEnv(env, { kms: awsKmsFromEnv, ...nodePlatform() })).not.toThrow()
  })

  it('refuses options that the network does not have', () => {
    expect(() => nodePlatform({ maxConnections: 0 })).toThrow(
      expect.objectContaining({ code: 'ERR_KMS_CONFIG' }),
    )
    expect(() => nodePlatform({ signer: nodeAwsSigner } as object)).toThrow(
      expect.objectContaining({ code: 'ERR_KMS_CONFIG' }),
    )
  })
})
