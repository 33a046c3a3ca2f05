/**
 * A scenario's tools: node-vault, aimed at one target, and observations that can be compared
 * between targets.
 *
 * @typedef {'good' | 'expired' | 'wrong-audience' | 'wrong-signature' | 'wrong-subject' |
 *   'not-a-token'} TokenKind
 *
 * @typedef {object} VaultTarget
 * @property {string} name
 * @property {string} endpoint
 * @property {string} token may do everything
 * @property {string} encryptOnly a token that may update `transit/encrypt/*` and nothing else
 * @property {string} shortLived a token whose lease of a second is over
 * @property {{ roleId: string, secretId: string }} appRole tokens of 3 seconds, 4 at most
 * @property {(kind: TokenKind) => string} jwt for the role `app` of `auth/jwt`
 * @property {(kind: TokenKind) => string} serviceAccountToken for the role `app` of `auth/kubernetes`
 * @property {string} namespace a namespace with transit in it
 * @property {(ms: number) => void} [pass] puts the target's clock forward, where it has one of its own
 *
 * @typedef {ReturnType<typeof createWorld>} World
 * @typedef {{ name: string, run: (world: World) => Promise<unknown> }} Scenario
 */

export const base64 = (text) => Buffer.from(text).toString('base64')

/** Returns Vault's message, without the frame of Go's errors. */
function words(body) {
  const [first] = body?.errors ?? []
  return typeof first === 'string' ? first.replace(/^\d+ errors? occurred:\s+\* /, '').trim() : ''
}

/** An error answer; anything else is a mistake in a scenario. */
export function refusal(error) {
  const response = error?.response
  if (response?.statusCode === undefined) throw error
  return { error: words(response.body), status: response.statusCode }
}

/**
 * `{ ok: facts }` or `{ error, status }`.
 *
 * @param {() => Promise<any>} work
 * @param {(answer: any) => unknown} facts
 * @returns {Promise<any>}
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
 * @param {(options: object) => any} nodeVault
 * @param {VaultTarget} target
 */
export function createWorld(nodeVault, target) {
  /** One client for each token. */
  const clientOf = (token = target.token, options = {}) =>
    nodeVault({ endpoint: target.endpoint, token, ...options })
  const admin = clientOf()
  const shared = new Map()
  let made = 0

  /** @returns {Promise<any>} the whole answer */
  const write = (path, input = {}, client = admin) => client.write(path, input)
  const read = (path, client = admin) => client.read(path)

  async function createKey(input = {}) {
    const name = `scenario-${Date.now()}-${made++}`
    await write(`transit/keys/${name}`, input)
    return name
  }

  /** One per kind and target: scenarios that only use a key need not make another. */
  function sharedKey(kind = 'a', input = {}) {
    const key = shared.get(kind) ?? createKey(input)
    shared.set(kind, key)
    return key
  }

  const encrypt = async (key, text, input = {}) =>
    (await write(`transit/encrypt/${key}`, { plaintext: base64(text), ...input })).data.ciphertext

  /** Whether `ciphertext` opens, with these further parameters, to `text`. */
  const opens = (key, ciphertext, text, input = {}) =>
    observe(
      () => write(`transit/decrypt/${key}`, { ciphertext, ...input }),
      (answer) => answer.data.plaintext === base64(text),
    )

  /**
   * A request that the client would not make.
   *
   * @param {string} method
   * @param {string} path
   * @param {{ token?: string, headers?: Record<string, string>, body?: object }} [options]
   */
  async function raw(method, path, { token = target.token, headers = {}, body } = {}) {
    const response = await fetch(`${target.endpoint}${path}`, {
      method,
      redirect: 'manual',
      headers: { ...(token && { 'x-vault-token': token }), ...headers },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })
    const text = await response.text()
    const json = text.startsWith('{') ? JSON.parse(text) : undefined
    return { status: response.status, headers: response.headers, json, words: words(json) }
  }

  /** @param {number} ms */
  const pause = async (ms) => {
    if (target.pass === undefined) await new Promise((resolve) => setTimeout(resolve, ms))
    else target.pass(ms)
  }

  return {
    target,
    clientOf,
    write,
    read,
    createKey,
    sharedKey,
    encrypt,
    opens,
    raw,
    pause,
    close: () => undefined,
  }
}
