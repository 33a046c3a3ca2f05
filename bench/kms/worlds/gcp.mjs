/** Cloud KMS over REST, and over gRPC for Google's client, which prefers it. */
import { promisify } from 'node:util'
import { createFakeGcp } from '../../../adapters/fakes/index.ts'
import { loadGrpc } from '../../../test/servers/gcp/clients.mjs'
import { openGrpcFront } from '../../../test/servers/gcp/grpc-front.mjs'
import { repeater } from '../repeater.mjs'

const SERVICE = 'google.cloud.kms.v1.KeyManagementService'
const same = (bytes) => bytes

/** gRPC in front of gRPC: what a method answered is said again without reading it. */
async function openRepeatingFront(innerPort) {
  const grpc = loadGrpc()
  const inner = new grpc.Client(`127.0.0.1:${innerPort}`, grpc.credentials.createInsecure())
  const repeat = repeater((bytes) => bytes !== undefined)
  const definition = {}
  const methods = {}
  for (const name of ['Encrypt', 'Decrypt']) {
    const path = `/${SERVICE}/${name}`
    const streams = { requestStream: false, responseStream: false }
    definition[name] = { path, ...streams, requestDeserialize: same, responseSerialize: same }
    const ask = promisify(inner.makeUnaryRequest.bind(inner, path, same, same))
    methods[name] = ({ request }, done) => {
      repeat(name, () => ask(request)).then(
        (bytes) => done(null, bytes),
        (/** @type {unknown} */ error) => done(error),
      )
    }
  }
  const server = new grpc.Server()
  server.addService(definition, methods)
  const bind = promisify(server.bindAsync.bind(server))
  return bind('127.0.0.1:0', grpc.ServerCredentials.createInsecure())
}

export async function createWorld() {
  const fake = createFakeGcp()
  const { token } = fake.credentials
  const { port } = await openGrpcFront((request) => fake.fetch(request), token)
  return {
    fake,
    urlOf: (incoming) => `https://cloudkms.googleapis.com${incoming.url}`,
    // Requests with another token or context must get an answer of their own.
    operationOf: ({ url, headers }, body) => {
      const [context] = /"additionalAuthenticatedData":\s*"[^"]*"/.exec(body) ?? []
      return `${url} ${headers.authorization} ${context}`
    },
    place: { keyName: fake.createKey(), token, grpcPort: await openRepeatingFront(port) },
  }
}
