/**
 * A scenario's tools: AWS's official clients, aimed at one target, and observations that
 * can be compared between targets. Imports nothing, so that any runner can use it.
 *
 * @typedef {{ accessKeyId: string, secretAccessKey: string, sessionToken?: string }} Credentials
 *
 * @typedef {object} AwsTarget
 * @property {string} name
 * @property {string} endpoint serves KMS of every region, and STS
 * @property {string} region
 * @property {string} otherRegion
 * @property {string} accountId
 * @property {Credentials} credentials may do everything
 * @property {Credentials} encryptOnly may Encrypt and GenerateDataKey, and nothing else
 * @property {Credentials} [expired] session credentials whose time is over; absent where the
 *   server cannot expire any
 * @property {string} roleArn a role that `credentials` may assume and that may use every key
 * @property {() => Promise<void>} [beforeUnsigned] to be called before each unsigned request
 * @property {string} webIdentityRoleArn a role for tokens of the target's issuer
 * @property {(kind: TokenKind) => string | Promise<string>} webIdentityToken
 *
 * @typedef {'good' | 'expired' | 'wrong-audience' | 'wrong-signature' | 'wrong-subject' |
 *   'not-a-token'} TokenKind
 *
 * @typedef {{ kms: any, sts: any, dynamodb: any }} Sdk the modules `@aws-sdk/client-kms`, `-sts` and
 *   `-dynamodb`
 * @typedef {ReturnType<typeof createWorld>} World
 * @typedef {{ name: string, run: (world: World) => Promise<unknown> }} Scenario
 */

export const utf8 = (text) => new TextEncoder().encode(text)

export const sameBytes = (a, b) =>
  a instanceof Uint8Array &&
  b instanceof Uint8Array &&
  a.length === b.length &&
  a.every((value, index) => value === b[index])

/** A copy with one bit flipped. */
export function flip(bytes, index) {
  const copy = Uint8Array.from(bytes)
  copy[index < 0 ? copy.length + index : index] ^= 1
  return copy
}

/** An error of the service, or of reading its answer; anything else is a mistake in a scenario. */
export function refusal(error) {
  const status = error?.$metadata?.httpStatusCode ?? error?.$response?.statusCode
  if (status === undefined) throw error
  return { error: error.name, status }
}

/**
 * `{ ok: facts }` or `{ error, status }`.
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
 * @param {AwsTarget} target
 */
export function createWorld(sdk, target) {
  const clients = []
  const shared = new Map()

  function make(Client, overrides) {
    const client = new Client({
      region: target.region,
      endpoint: target.endpoint,
      credentials: target.credentials,
      // A second attempt would hide what the server answered first.
      maxAttempts: 1,
      ...overrides,
    })
    clients.push(client)
    return client
  }

  const kmsClient = (overrides = {}) => make(sdk.kms.KMSClient, overrides)
  const stsClient = (overrides = {}) => make(sdk.sts.STSClient, overrides)
  const admin = kmsClient()

  /** @returns {Promise<any>} the answer of one KMS operation */
  const kms = (operation, input, client = admin) =>
    client.send(new sdk.kms[`${operation}Command`](input))

  /** @returns {Promise<any>} the answer of one STS operation */
  const sts = (operation, input, client) =>
    (client ?? stsClient()).send(new sdk.sts[`${operation}Command`](input))

  const createKey = async (input = {}) => (await kms('CreateKey', input)).KeyMetadata

  /** One per name and target: scenarios that only use a key need not make another. */
  function sharedKey(name = 'a', input = {}) {
    const key = shared.get(name) ?? createKey(input)
    shared.set(name, key)
    return key
  }

  let aliases = 0
  async function createAlias(key) {
    const name = `alias/scenario-${Date.now()}-${aliases++}`
    await kms('CreateAlias', { AliasName: name, TargetKeyId: key.KeyId })
    return name
  }

  const encrypt = async (key, text, context) => {
    const input = { KeyId: key.Arn, Plaintext: utf8(text), EncryptionContext: context }
    return (await kms('Encrypt', input)).CiphertextBlob
  }

  /** Whether `blob` opens, with these further parameters, to `text`. */
  const opens = (blob, text, input = {}, client = admin) =>
    observe(
      () => kms('Decrypt', { CiphertextBlob: blob, ...input }, client),
      (answer) => sameBytes(answer.Plaintext, utf8(text)),
    )

  const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms))

  function close() {
    for (const client of clients) client.destroy()
  }

  return {
    target,
    kms,
    sts,
    kmsClient,
    stsClient,
    createKey,
    sharedKey,
    createAlias,
    encrypt,
    opens,
    pause,
    close,
  }
}
