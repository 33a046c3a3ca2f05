import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createNodeNetwork, nodeAwsSigner } from '../../../adapters/node/index.ts'
import { createAwsKms } from '../../../src/providers/aws-kms/index.ts'
import { createFakeAws, kmsContract } from '../../../adapters/fakes/index.ts'
import { runContract } from '../../support/contract.ts'

/** The fake checks every signature. */
const fake = createFakeAws()
const keys = [fake.createKey().arn, fake.createKey().arn] as const
const network = createNodeNetwork()
let endpoint = ''

const listener: RequestListener = (incoming, outgoing) => {
  void (async () => {
    const pieces: Buffer[] = []
    for await (const piece of incoming) pieces.push(piece as Buffer)
    const headers = incoming.headers as Record<string, string>
    const request = new Request(`${endpoint}/`, {
      method: 'POST',
      headers,
      body: Buffer.concat(pieces),
    })
    const response = await fake.fetch(request)
    outgoing.writeHead(response.status, Object.fromEntries(response.headers))
    outgoing.end(Buffer.from(await response.arrayBuffer()))
  })()
}
const server = createServer(listener)

beforeAll(async () => {
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterAll(async () => {
  network.close()
  await new Promise((resolve) => server.close(resolve))
})

const kmsOf = (keyId: string): ReturnType<typeof createAwsKms> =>
  createAwsKms({
    keyId,
    credentials: fake.credentials,
    endpoint,
    allowHttpLoopback: true,
    network,
    signer: nodeAwsSigner,
  })

describe('contract: AWS KMS over edge-kms/node', () => {
  const { capabilities } = createAwsKms({ keyId: keys[0], credentials: fake.credentials })
  runContract(
    kmsContract(capabilities, { create: () => kmsOf(keys[0]), createOther: () => kmsOf(keys[1]) }),
  )
})

it('R9 over edge-kms/node plain http still needs allowHttpLoopback', () => {
  const options = { keyId: keys[0], credentials: fake.credentials, network, signer: nodeAwsSigner }
  expect(() => createAwsKms({ ...options, endpoint: 'http://127.0.0.1:1' })).toThrow(
    expect.objectContaining({ code: 'ERR_KMS_CONFIG' }),
  )
  const elsewhere = { endpoint: 'http://kms.example.test', allowHttpLoopback: true }
  expect(() => createAwsKms({ ...options, ...elsewhere })).toThrow(
    expect.objectContaining({ code: 'ERR_KMS_CONFIG' }),
  )
})
