// `edge-kms/google-cloud-kms`: the provider over Google's own client, by gRPC and by REST, against the
// emulator and the fake. The same contract, and the same errors as the provider by fetch.
import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { createGoogleCloudKms } from '../../../adapters/google-cloud-kms/index.ts'
import { EnvelopeCipher, isKmsError } from '../../../src/index.ts'
import { createGcpKms } from '../../../src/providers/gcp-kms/index.ts'
import { createFakeGcp, kmsContract } from '../../../adapters/fakes/index.ts'
import { openFront } from '../../../tools/servers/front.mjs'
import { loadGrpc, loadOAuth, loadSdk } from './clients.mjs'
import { openGrpcFront } from './grpc-front.mjs'

const OPAQUE = 'answers 500 to what does not open'
const MEMBERLESS = 'refuses what the client sends over REST for a message without members'
/** Mistakes of the emulator, by each of the ways. */
const DEVIATIONS = {
  'refuses a wrap under a changed context': OPAQUE,
  'refuses a changed wrap': OPAQUE,
  'rewraps: same DEK, new wraps': OPAQUE,
}
const REST_DEVIATIONS = { ...DEVIATIONS, 'rotates: old wraps still open': MEMBERLESS }
const context = { 'edge-kms:dk': 'salt.1', tenant: 'acme' }
const message = { context: { tenant: 'acme' }, aad: { row: '42' } }
const plaintext = new TextEncoder().encode('4111 1111')

/**
 * The client's ways: gRPC; REST; and REST with Google's own authentication, which then gives every
 * error as it came over HTTP.
 */
const WAYS = /** @type {const} */ (['grpc', 'rest', 'oauth'])

/** Credentials that are a token, for REST. */
const restAuth = (/** @type {string} */ token) => ({
  universeDomain: 'googleapis.com',
  getRequestHeaders: async () => new Headers(),
  fetch: (/** @type {string} */ url, { agent: _agent, responseType: _type, ...init }) => {
    init.headers.set('authorization', `Bearer ${token}`)
    return fetch(url, init)
  },
})

function clientOf(/** @type {typeof WAYS[number]} */ way, /** @type {any} */ { port, token }) {
  const { KeyManagementServiceClient } = loadSdk()
  const place = { apiEndpoint: '127.0.0.1', port, universeDomain: 'googleapis.com' }
  if (way !== 'grpc') {
    const auth = way === 'rest' ? restAuth(token) : loadOAuth(token)
    const rest = { fallback: true, protocol: 'http', auth }
    return new KeyManagementServiceClient({ ...place, ...rest })
  }
  const sslCreds = loadGrpc().credentials.createInsecure()
  return new KeyManagementServiceClient({ ...place, sslCreds })
}

/** @param {any} target @param {any} tools */
export async function run(target, tools) {
  const grpcFront =
    target.name === 'fake'
      ? await openGrpcFront((request) => target.fake.fetch(request), target.token)
      : null
  const port = Number(new URL(target.endpoint).port)
  const ports = { rest: port, oauth: port, grpc: grpcFront?.port ?? port }
  try {
    for (const way of WAYS)
      await contract(target, way, { port: ports[way], token: target.token }, tools)
    if (target.name === 'fake') for (const way of WAYS) await refusals(way, tools)
  } finally {
    await grpcFront?.close()
  }
}

async function contract(target, way, place, { check, skip }) {
  const client = clientOf(way, place)
  const create = (/** @type {any} */ options = {}) =>
    createGoogleCloudKms({ client, keyName: target.keyName, timeoutMs: 10_000, ...options })
  const { endpoint, token } = target
  const byFetch = createGcpKms({
    endpoint,
    credentials: { token },
    allowHttpLoopback: true,
    timeoutMs: 10_000,
    keyName: target.keyName,
  })
  const cipher = (/** @type {any} */ kms) => new EnvelopeCipher({ kms })
  try {
    const subject = { create, createOther: () => create({ keyName: target.otherKeyName }) }
    for (const one of kmsContract(create().capabilities, subject)) {
      const known = way === 'grpc' ? DEVIATIONS : REST_DEVIATIONS
      const deviation = target.name === 'emulator' ? known[one.name] : undefined
      const name = `${way} contract: ${one.name}`
      if (one.skip !== undefined) skip(name, one.skip)
      else if (deviation === undefined) await check(name, one.run)
      else await check(`${name}: this server ${deviation}`, () => assert.rejects(one.run))
    }
    await check(`${way}: random bytes of HSMs go into a data key`, async () => {
      const envelope = await cipher(create({ randomBytes: 'hsm' })).encrypt(plaintext, message)
      assert.deepEqual(await cipher(create()).decrypt(envelope, message), plaintext)
    })
    await check(`${way}: each opens what the other wrote, by fetch and by the client`, async () => {
      for (const [writer, reader] of [
        [create(), byFetch],
        [byFetch, create()],
      ]) {
        const envelope = await cipher(writer).encrypt(plaintext, message)
        assert.deepEqual(await cipher(reader).decrypt(envelope, message), plaintext)
      }
    })
  } finally {
    await client.close()
  }
}

/** @returns {Promise<any>} an error of ours, or `code` with what was thrown instead */
const codeOf = async (/** @type {Promise<unknown>} */ work) => {
  try {
    await work
    return { code: 'no error' }
  } catch (error) {
    return isKmsError(error) ? error : { code: error }
  }
}

/** Checks that each refusal of the fake has the same code by the client and by fetch. */
async function refusals(way, { check }) {
  const fake = createFakeGcp()
  const front = await openFront((request) => fake.fetch(request))
  const { token } = fake.credentials
  const nobody = 'ya29.nobody'
  const [grpcFront, strangers] = await Promise.all(
    [token, nobody].map((one) => openGrpcFront((request) => fake.fetch(request), one)),
  )
  const restPort = Number(new URL(front.url).port)
  const portOf = (one) => (way === 'grpc' ? one.port : restPort)
  const client = clientOf(way, { port: portOf(grpcFront), token })
  const stranger = clientOf(way, { port: portOf(strangers), token: nobody })
  const keyName = fake.createKey()
  const kmsOf = (/** @type {any} */ options = {}) =>
    createGoogleCloudKms({ client, keyName, timeoutMs: 10_000, ...options })
  const byFetch = (/** @type {any} */ options = {}) =>
    createGcpKms({ keyName, credentials: { token }, network: fake.network, ...options })
  const setState = async (/** @type {string} */ state) => {
    const version = `https://cloudkms.googleapis.com/v1/${keyName}/cryptoKeyVersions/1`
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
    const init = { method: 'PATCH', headers, body: JSON.stringify({ state }) }
    const { status } = await fake.fetch(new Request(`${version}?updateMask=state`, init))
    assert.equal(status, 200)
  }
  const same = async (/** @type {string} */ name, /** @type {any} */ fault, code) =>
    check(`${way}: ${name} is ${code}, as by fetch`, async () => {
      const { wraps } = await byFetch().generateDataKey({ context })
      const got = []
      for (const kms of [byFetch(), kmsOf()]) {
        for (const call of [
          () => kms.generateDataKey({ context }),
          () => kms.unwrapDataKey(wraps, { context }),
        ]) {
          fake.faults.push(fault)
          fake.forgetCalls()
          const { code: seen, retryable, retryAfterMs } = await codeOf(call())
          // One request: the client's own retries are off.
          got.push({ seen, retryable, retryAfterMs, calls: fake.count() })
        }
      }
      assert.equal(got[0].seen, code)
      for (const one of got.slice(2)) assert.deepEqual(one, { ...got[0], calls: 1 })
    })
  try {
    await same('a throttle', { kind: 'throttle' }, 'ERR_KMS_THROTTLED')
    await same('an outage', { kind: 'unavailable' }, 'ERR_KMS_UNAVAILABLE')
    await same('an internal error', { kind: 'internal' }, 'ERR_KMS_UNAVAILABLE')
    await same('a damaged answer', { kind: 'damaged' }, 'ERR_KMS_RESPONSE_INVALID')
    await same('a wrong checksum', { kind: 'wrong-checksum' }, 'ERR_KMS_RESPONSE_INVALID')
    await check(
      `${way}: another key in the answer, and what was not verified, are refused`,
      async () => {
        for (const kind of /** @type {const} */ (['wrong-key', 'unverified', 'wrong-length'])) {
          fake.faults.push({ kind })
          const { code } = await codeOf(kmsOf().generateDataKey({ context }))
          assert.equal(code, 'ERR_KMS_RESPONSE_INVALID', kind)
        }
      },
    )
    await check(`${way}: wrong context, unknown key, unknown token, disabled version`, async () => {
      const { wraps } = await kmsOf().generateDataKey({ context })
      const other = { ...context, tenant: 'evil' }
      const code = async (work) => (await codeOf(work)).code
      const seen = [
        await code(kmsOf().unwrapDataKey(wraps, { context: other })),
        await code(kmsOf({ keyName: `${keyName}-none` }).generateDataKey({ context })),
        await code(kmsOf({ client: stranger }).generateDataKey({ context })),
      ]
      await setState('DISABLED')
      seen.push(await code(kmsOf().generateDataKey({ context })))
      seen.push(await code(kmsOf().unwrapDataKey(wraps, { context })))
      await setState('ENABLED')
      assert.deepEqual(seen, [
        'ERR_DECRYPT_FAILED',
        'ERR_KMS_KEY_NOT_FOUND',
        'ERR_KMS_UNAUTHENTICATED',
        'ERR_KMS_KEY_DISABLED',
        'ERR_KMS_KEY_DISABLED',
      ])
    })
    await check(`${way}: waits for a version that is being made, and promotes it`, async () => {
      const kms = kmsOf({ keyName: fake.createKey({ generationMs: 600 }) })
      await sleep(700)
      assert.equal((await kms.rotateKey({}))[0]?.kekVersion, '2')
    })
    await check(`${way}: ends in time, and at an abort, with one request`, async () => {
      fake.faults.push({ kind: 'slow', delayMs: 3_000, times: 2 })
      const started = Date.now()
      const { code } = await codeOf(kmsOf({ timeoutMs: 200 }).generateDataKey({ context }))
      assert.equal(code, 'ERR_KMS_TIMEOUT')
      const reason = new Error('stop')
      const controller = new AbortController()
      const work = kmsOf().generateDataKey({ context, signal: controller.signal })
      setTimeout(() => controller.abort(reason), 100)
      await assert.rejects(work, (error) => error === reason)
      assert.ok(Date.now() - started < 2_500, 'it waited for the server')
    })
    await check(`${way}: no server at all`, async () => {
      const lost = clientOf(way, { port: 9, token })
      const error = await codeOf(kmsOf({ client: lost }).generateDataKey({ context }))
      assert.match(error.code, /^ERR_KMS_(UNAVAILABLE|TIMEOUT)$/)
      await lost.close()
    })
  } finally {
    await client.close()
    await stranger.close()
    await grpcFront.close()
    await strangers.close()
    await front.close()
  }
}
