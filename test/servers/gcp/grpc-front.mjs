/**
 * Puts the fake behind gRPC, on loopback and without TLS: each method goes to it as the REST call
 * that Google's own annotations name, and its errors come back as google.rpc.Status.
 */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { ensureFolder } from '../../../tools/lib/folders.mjs'

const SERVICE = 'google.cloud.kms.v1.KeyManagementService'
/** Not among what google-gax exports. */
const STATUS = 'node_modules/google-gax/build/protos/status.json'
const readJson = (path) => JSON.parse(readFileSync(path, 'utf8'))
const TYPES = 'type.googleapis.com/'

/** google.rpc.Code by name, from the client's own library. */
const codeOf = (grpc, name) => grpc.status[name] ?? grpc.status.UNKNOWN

/**
 * @param {(request: Request) => Promise<Response>} handler
 * @param {string} token of every call: without TLS a client sends none
 * @returns {Promise<{ port: number, close: () => Promise<void> }>}
 */
export async function openGrpcFront(handler, token) {
  const folder = ensureFolder('clients/gcp')
  /** @type {(name: string) => any} */
  const load = createRequire(join(folder, 'package.json'))
  const grpc = load('@grpc/grpc-js')
  const json = load('proto3-json-serializer')
  const protobuf = load('protobufjs')
  const root = protobuf.Root.fromJSON(load('@google-cloud/kms/build/protos/protos.json'))
  const status = protobuf.Root.fromJSON(readJson(join(folder, STATUS)))
  const service = root.lookupService(SERVICE)
  service.resolveAll()

  /** The REST call of a method: the annotation's first path, its variable, and the rest as the body. */
  async function answer(method, message) {
    const rule = method.parsedOptions.find((one) => one['(google.api.http)'])['(google.api.http)']
    const verb = rule.post !== undefined ? 'POST' : 'GET'
    const fields = json.toProto3JSON(message)
    const [before, field, after] = (
      /^(.*)\{(\w+)=[^}]*\}(.*)$/.exec(rule.post ?? rule.get) ?? []
    ).slice(1)
    const { [field]: resource, ...rest } = fields
    // A query of a single member is how the annotations carry what is not a body.
    const member = rule.body === '*' ? rest : (rest[rule.body] ?? {})
    const url = `https://cloudkms.googleapis.com${before}${resource}${after}`
    const headers = { 'content-type': 'application/json', authorization: `Bearer ${token}` }
    const body = verb === 'POST' ? JSON.stringify(member) : null
    const response = await handler(new Request(url, { method: verb, headers, body }))
    const parsed = JSON.parse(await response.text())
    if (response.ok) return json.fromProto3JSON(method.resolvedResponseType, parsed)
    throw refusal(parsed.error)
  }

  function refusal({ message, status: name, details = [] }) {
    const metadata = new grpc.Metadata()
    const any = details.flatMap(({ '@type': type, ...fields }) => {
      const known = status.lookup(type.slice(TYPES.length))
      if (known === null) return []
      return [{ type_url: type, value: known.encode(known.fromObject(fields)).finish() }]
    })
    const whole = status.lookupType('google.rpc.Status')
    const told = { code: codeOf(grpc, name), message, details: any }
    metadata.set('grpc-status-details-bin', Buffer.from(whole.encode(told).finish()))
    return Object.assign(new Error(message), { code: told.code, details: message, metadata })
  }

  const server = new grpc.Server()
  const definition = {}
  const methods = {}
  for (const method of service.methodsArray) {
    definition[method.name] = {
      path: `/${SERVICE}/${method.name}`,
      requestStream: false,
      responseStream: false,
      requestDeserialize: (bytes) => method.resolvedRequestType.decode(bytes),
      responseSerialize: (message) =>
        Buffer.from(method.resolvedResponseType.encode(message).finish()),
    }
    methods[method.name] = ({ request }, done) => {
      answer(method, request).then(
        (message) => done(null, message),
        // A broken connection is what gRPC calls unavailable.
        (/** @type {unknown} */ error) =>
          done(Object(error).metadata ? error : { code: grpc.status.UNAVAILABLE }),
      )
    }
  }
  server.addService(definition, methods)
  const port = await new Promise((resolve, reject) => {
    const credentials = grpc.ServerCredentials.createInsecure()
    server.bindAsync('127.0.0.1:0', credentials, (/** @type {Error | null} */ error, bound) =>
      error ? reject(error) : resolve(bound),
    )
  })
  return {
    port,
    close: () =>
      new Promise((resolve) => {
        server.forceShutdown()
        resolve(undefined)
      }),
  }
}
