/**
 * A scenario's tools: Google's own client over REST, aimed at one target, and observations
 * that can be compared between targets.
 *
 * @typedef {object} GcpTarget
 * @property {string} name
 * @property {string} endpoint
 * @property {string} location `projects/…/locations/…`
 * @property {string} token may do everything
 * @property {string} [encryptOnly] may encrypt and nothing else; absent where all callers have the same rights
 *
 * @typedef {any} Sdk the module `@google-cloud/kms`
 * @typedef {ReturnType<typeof createWorld>} World
 * @typedef {{ name: string, run: (world: World) => Promise<unknown> }} Scenario
 */

/** CRC-32C by its definition, bit for bit: not the table that is judged here. */
export function crc32c(bytes) {
  let crc = ~0
  for (const byte of bytes) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1
  }
  return ~crc >>> 0
}

export const utf8 = (text) => new TextEncoder().encode(text)

/** A copy with one bit flipped. */
export function flip(bytes, index) {
  const copy = Uint8Array.from(bytes)
  copy[index < 0 ? copy.length + index : index] ^= 1
  return copy
}

const sum = (bytes) => ({ value: String(crc32c(bytes)) })
const numberOf = (wrapper) => Number(wrapper?.value ?? wrapper ?? NaN)

const STATUSES = {
  2: 'UNKNOWN',
  3: 'INVALID_ARGUMENT',
  5: 'NOT_FOUND',
  6: 'ALREADY_EXISTS',
  7: 'PERMISSION_DENIED',
  9: 'FAILED_PRECONDITION',
  13: 'INTERNAL',
  14: 'UNAVAILABLE',
  16: 'UNAUTHENTICATED',
}

/** An error of the service, or of reading its answer; anything else is a mistake in a scenario. */
export function refusal(error) {
  const type = error?.statusDetails?.[0]?.violations?.[0]?.type ?? error?.reason
  if (STATUSES[error?.code] !== undefined)
    return { error: STATUSES[error.code], status: error.httpStatus, ...(type && { type }) }
  throw error
}

/**
 * `{ ok: facts }` or `{ error, status, type }`.
 *
 * @param {() => Promise<any>} work
 * @param {(answer: any) => unknown} facts
 */
export async function observe(work, facts = () => true) {
  let answer
  try {
    answer = await work()
  } catch (error) {
    return refusal(error)
  }
  return { ok: facts(answer) }
}

/**
 * @param {Sdk} sdk
 * @param {GcpTarget} target
 */
export function createWorld(sdk, target) {
  const clients = []
  const shared = new Map()
  const { hostname, port } = new URL(target.endpoint)

  /** Of HTTP: the client keeps only what the body says. */
  let lastStatus = 0

  function client(token = target.token) {
    const auth = {
      universeDomain: 'googleapis.com',
      getRequestHeaders: async () => new Headers(),
      fetch: async (url, { agent: _agent, responseType: _type, ...init }) => {
        if (token !== '') init.headers.set('authorization', `Bearer ${token}`)
        const answer = await fetch(url, init)
        lastStatus = answer.status
        return answer
      },
    }
    const options = { fallback: true, protocol: 'http', apiEndpoint: hostname, port, auth }
    const made = new sdk.KeyManagementServiceClient(options)
    clients.push(made)
    return made
  }
  const admin = client()

  /** @returns {Promise<any>} the answer of one method */
  async function kms(method, request, by = admin) {
    try {
      const [answer] = await by[method](request, { maxRetries: 0 })
      return answer
    } catch (error) {
      throw Object.assign(error, { httpStatus: lastStatus })
    }
  }

  const ringId = `lane-${Date.now()}-${Math.floor(Math.random() * 1e6)}`
  const ring = `${target.location}/keyRings/${ringId}`
  // By hand: the emulator refuses what Google's client sends for a message without members.
  const ready = fetch(`${target.endpoint}/v1/${target.location}/keyRings?keyRingId=${ringId}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${target.token}`, 'content-type': 'application/json' },
    body: '{}',
  }).then(async (answer) => {
    if (!answer.ok) throw new Error(`no key ring: ${answer.status} ${await answer.text()}`)
  })
  ready.catch(() => undefined)

  let made = 0
  /** @returns {Promise<string>} a new key's name */
  async function createKey(cryptoKey = { purpose: 'ENCRYPT_DECRYPT' }) {
    await ready
    const cryptoKeyId = `key-${made++}`
    return (await kms('createCryptoKey', { parent: ring, cryptoKeyId, cryptoKey })).name
  }

  /** One per name and target: scenarios that only use a key need not make another. */
  function sharedKey(name = 'a') {
    const key = shared.get(name) ?? createKey()
    shared.set(name, key)
    return key
  }

  /** Encrypt with both checksums. */
  const encrypt = (name, plaintext, aad, by) =>
    kms(
      'encrypt',
      {
        name,
        plaintext,
        plaintextCrc32c: sum(plaintext),
        ...(aad && {
          additionalAuthenticatedData: aad,
          additionalAuthenticatedDataCrc32c: sum(aad),
        }),
      },
      by,
    )

  const decrypt = (name, ciphertext, aad, by) =>
    kms(
      'decrypt',
      {
        name,
        ciphertext,
        ciphertextCrc32c: sum(ciphertext),
        ...(aad && {
          additionalAuthenticatedData: aad,
          additionalAuthenticatedDataCrc32c: sum(aad),
        }),
      },
      by,
    )

  /** Whether a ciphertext opens to `text`. */
  const opens = (name, ciphertext, text, aad, by) =>
    observe(
      () => decrypt(name, ciphertext, aad, by),
      ({ plaintext }) => Buffer.from(plaintext).toString() === text,
    )

  const version = (key, n) => `${key}/cryptoKeyVersions/${n}`
  const setState = (name, state) =>
    kms('updateCryptoKeyVersion', {
      cryptoKeyVersion: { name, state },
      updateMask: { paths: ['state'] },
    })

  function close() {
    for (const one of clients) one.close().catch(() => undefined)
  }

  return {
    target,
    ring,
    ready,
    client,
    kms,
    createKey,
    sharedKey,
    encrypt,
    decrypt,
    opens,
    version,
    setState,
    sum,
    numberOf,
    close,
  }
}
