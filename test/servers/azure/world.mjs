/**
 * A scenario's tools: Microsoft's official clients, with their requests handed to one target,
 * and observations that can be compared between targets. Their own check of the challenge stays on.
 *
 * @typedef {{ clientId: string, clientSecret: string }} Application
 *
 * @typedef {object} AzureTarget
 * @property {string} name
 * @property {(request: Request) => Promise<Response>} fetch serves vaults, HSMs and Entra ID
 * @property {string} vault the URL of a vault
 * @property {string} hsm the URL of a Managed HSM
 * @property {string} tenantId
 * @property {Application} admin may do everything
 * @property {Application} user may wrapKey and unwrapKey: without `get` its client sends every operation
 * @property {Application} writer may wrapKey, and nothing else
 * @property {string} workload the client id that trusts an issuer
 * @property {(kind: string) => string} workloadToken
 * @property {string} certificate PEM of the admin's certificate and its key
 * @property {string} wrongCertificate the same with another key
 * @property {string} unknownCertificate one that is not registered
 * @property {string} [expired] a token whose time is over
 * @property {() => void} foreignChallenge the next GET of a key meets one
 *
 * @typedef {{ identity: any, keys: any, rest: any }} Sdk
 * @typedef {ReturnType<typeof createWorld>} World
 * @typedef {{ name: string, run: (world: World) => Promise<unknown> }} Scenario
 */

export const sameBytes = (a, b) => Buffer.from(a).equals(Buffer.from(b))

/** A copy with one bit flipped. */
export function flip(bytes, index) {
  const copy = Uint8Array.from(bytes)
  copy[index < 0 ? copy.length + index : index] ^= 1
  return copy
}

/** An error of a vault or of Entra ID; anything else is a mistake in a scenario. */
export function refusal(error) {
  const { innererror, innerError = innererror } = error?.details?.error ?? {}
  const inner = innerError?.code
  if (error?.name === 'RestError' && error.statusCode !== undefined)
    return { error: inner ?? error.code ?? 'none', status: error.statusCode }
  const [, name, number] = /\b([a-z_]+): Error\(s\): (\d+)/.exec(error?.message ?? '') ?? []
  if (name !== undefined) return { error: name, number: Number(number) }
  if (/challenge resource .* does not match/.test(error?.message ?? ''))
    return { error: 'the client refuses the challenge' }
  // It was let see the key: only where the permission is not looked at.
  if (/^(Key|Operation) /.test(error?.message ?? '')) return { error: 'the client refuses the key' }
  throw error
}

/**
 * `{ ok: facts }` or `{ error, … }`.
 *
 * @param {() => Promise<any>} work
 * @param {(answer: any) => unknown} [facts]
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
 * @param {AzureTarget} target
 */
export function createWorld({ identity, keys, rest }, target) {
  let lastBody = ''
  const httpClient = {
    async sendRequest(request) {
      const headers = new Headers()
      for (const [name, value] of request.headers) headers.append(name, value)
      const { method, url } = request
      const init = {
        method,
        headers,
        ...(request.body !== undefined && request.body !== null && { body: request.body }),
      }
      const response = await target.fetch(new Request(url, init))
      lastBody = await response.text()
      return {
        request,
        status: response.status,
        headers: rest.createHttpHeaders(Object.fromEntries(response.headers)),
        bodyAsText: lastBody,
      }
    },
  }
  // A second attempt would hide what the server answered first.
  const options = { httpClient, retryOptions: { maxRetries: 0 } }
  const entra = { ...options, disableInstanceDiscovery: true }
  const { tenantId } = target

  const secretOf = ({ clientId, clientSecret }, tenant = tenantId) =>
    new identity.ClientSecretCredential(tenant, clientId, clientSecret, entra)
  const certificateOf = (certificate) =>
    new identity.ClientCertificateCredential(
      tenantId,
      target.admin.clientId,
      { certificate },
      entra,
    )
  const workloadOf = (kind) =>
    new identity.ClientAssertionCredential(
      tenantId,
      target.workload,
      async () => target.workloadToken(kind),
      entra,
    )
  /** A credential that gives one token, whatever is asked for. */
  const fixed = (token) => ({
    getToken: async () => ({ token, expiresOnTimestamp: Date.now() + 3_600_000 }),
  })
  const tokenOf = (credential, resource = 'https://vault.azure.net') =>
    credential.getToken(`${resource}/.default`)

  const admin = secretOf(target.admin)
  const client = (vault = target.vault, credential = admin) =>
    new keys.KeyClient(vault, credential, options)
  // With `get` the client would wrap by itself where it can, and refuse what the service must refuse.
  const user = secretOf(target.user)
  const cryptography = (kid, credential = user) =>
    new keys.CryptographyClient(kid, credential, options)

  let names = 0
  const newName = () => `scenario-${names++}-${Date.now()}`
  const createKey = (parameters = {}, type = 'RSA') =>
    client().createKey(newName(), type, parameters)
  const createHsmKey = () => client(target.hsm).createKey(newName(), 'oct-HSM', { keySize: 256 })

  const shared = new Map()
  /** One per name: scenarios that only use a key need not make another. */
  function sharedKey(name = 'rsa') {
    const key = shared.get(name) ?? (name === 'hsm' ? createHsmKey() : createKey())
    shared.set(name, key)
    return key
  }

  const dek = Uint8Array.from({ length: 32 }, (_, i) => i)
  const wrap = (key, algorithm = 'RSA-OAEP-256', credential = user) =>
    cryptography(key.id, credential)
      .wrapKey(algorithm, dek)
      .then(({ result }) => result)
  /** Whether `wrapped` opens to the DEK under this version. */
  const opens = (kid, wrapped, { algorithm = 'RSA-OAEP-256', credential = user } = {}) =>
    observe(
      () => cryptography(kid, credential).unwrapKey(algorithm, wrapped),
      ({ result }) => sameBytes(result, dek),
    )

  return {
    target,
    admin,
    dek,
    /** `kid` of the last answer: the client gives back the one that it asked for. */
    lastKid: () => JSON.parse(lastBody).kid,
    secretOf,
    certificateOf,
    workloadOf,
    fixed,
    tokenOf,
    client,
    cryptography,
    newName,
    createKey,
    createHsmKey,
    sharedKey,
    wrap,
    opens,
    close() {},
  }
}
