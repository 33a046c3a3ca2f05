import { encodeBase64 } from '../../../src/bytes/index.ts'
import type { JsonObject } from '../../../src/http/index.ts'
import { decodeGoBase64 } from './base64.ts'
import type { CallRecord } from './calls.ts'
import { batchOf, bindingOf, textOf } from './input.ts'
import { autoRotateSeconds, configure, integerOf, trim } from './key-config.ts'
import type { FakeVaultCapability } from './options.ts'
import { notFound, Refusal } from './refusal.ts'
import { type Defects, open, seal } from './transit-cipher.ts'
import { keyInfo, type TransitKeys, type TransitKeyState } from './transit-keys.ts'

/** One call to a transit mount. */
export interface TransitCall {
  readonly keys: TransitKeys
  /** With the namespace before it. */
  readonly mount: string
  readonly method: string
  /** The path below the mount. */
  readonly path: readonly string[]
  readonly input: JsonObject
  readonly defects: Defects
  readonly disableUpsert: boolean
  /** Throws where the token may not do this. */
  readonly authorize: (capability: FakeVaultCapability) => void
  readonly record: CallRecord
}

/** The members of an answer; its status is not 200 where items of a batch failed. */
export interface TransitAnswer {
  readonly status?: number
  readonly data?: unknown
  readonly warnings?: readonly string[]
}

type Work = (key: TransitKeyState, item: JsonObject, defects: Defects) => Promise<JsonObject>

/** Types of keys that Vault and OpenBao make. */
const KEY_TYPES: ReadonlySet<string> = new Set([
  ...['aes128-gcm96', 'aes256-gcm96', 'chacha20-poly1305', 'xchacha20-poly1305', 'ed25519', 'hmac'],
  ...['ecdsa-p256', 'ecdsa-p384', 'ecdsa-p521', 'rsa-2048', 'rsa-3072', 'rsa-4096'],
])
const NAME = /^\w(?:[\w.-]*\w)?$/

/** @throws Refusal */
export async function transit(call: TransitCall): Promise<TransitAnswer> {
  const [operation = '', ...rest] = call.path
  const name = operation === 'datakey' ? rest[1] : rest[0]
  const parts = operation === 'datakey' ? 2 : 1
  if (operation === 'keys') return keys(call, rest)
  const run = OPERATIONS.get(operation)
  if (run === undefined || rest.length !== parts || !NAME.test(name ?? '')) throw noRoute()
  call.record.operation = operation
  if (call.method !== 'POST' && call.method !== 'PUT') throw unsupported()
  return run(call, name ?? '')
}

const sealed: Work = async (key, item, defects) => {
  if (item['plaintext'] === undefined) throw new Refusal(400, 'missing plaintext to encrypt')
  const plaintext = decodeGoBase64(textOf(item, 'plaintext'))
  if (plaintext === undefined) throw new Refusal(400, 'failed to base64-decode plaintext')
  const asked = integerOf(item, 'key_version')
  const made = await seal(key, plaintext, bindingOf(item), defects, asked)
  return { ciphertext: made.ciphertext, key_version: made.version }
}

const opened: Work = async (key, item, defects) => {
  const ciphertext = textOf(item, 'ciphertext')
  if (ciphertext === '') throw new Refusal(400, 'missing ciphertext to decrypt')
  return { plaintext: encodeBase64(await open(key, ciphertext, bindingOf(item), defects)) }
}

/** Associated data is not a parameter of this path: a ciphertext that has some does not open here. */
const rewrapped: Work = async (key, item, defects) => {
  const ciphertext = textOf(item, 'ciphertext')
  if (ciphertext === '') throw new Refusal(400, 'missing ciphertext to decrypt')
  const binding = bindingOf({ context: item['context'] })
  const plaintext = await open(key, ciphertext, binding, defects)
  const old = /^vault:v(\d+)/.exec(ciphertext)?.[1]
  const asked = defects.has('rewrap-keeps-version') ? Number(old) : integerOf(item, 'key_version')
  const made = await seal(key, plaintext, binding, defects, asked)
  return { ciphertext: made.ciphertext, key_version: made.version }
}

async function run(
  call: TransitCall,
  key: TransitKeyState,
  work: Work,
  failureStatus: number,
): Promise<TransitAnswer> {
  const { input, defects, record } = call
  const batch = batchOf(input)
  const [first = {}] = batch ?? [input]
  note(record, first, batch?.length)
  if (batch === undefined) return { data: await work(key, input, defects) }
  let failed = failureStatus
  const results = await Promise.all(
    batch.map(async (item) => {
      const reference = textOf(item, 'reference')
      const named = reference === '' ? {} : { reference }
      try {
        return { ...(await work(key, item, defects)), ...named }
      } catch (error) {
        if (!(error instanceof Refusal)) throw error
        if (error.status >= 500) failed = error.status
        return { error: error.message, ...named }
      }
    }),
  )
  if (defects.has('reverses-batches')) results.reverse()
  const failures = results.filter((result) => 'error' in result).length
  const partial = integerOf(input, 'partial_failure_response_code')
  const asked = partial !== 0 && failures < results.length ? partial : failed
  return { status: failures > 0 ? asked : 200, data: { batch_results: results } }
}

function note(record: CallRecord, item: JsonObject, items: number | undefined): void {
  const [associatedData, context] = [textOf(item, 'associated_data'), textOf(item, 'context')]
  if (associatedData !== '') record.associatedData = associatedData
  if (context !== '') record.context = context
  if (items !== undefined) record.items = items
}

type Operation = (call: TransitCall, name: string) => Promise<TransitAnswer>

const OPERATIONS: ReadonlyMap<string, Operation> = new Map<string, Operation>([
  [
    'encrypt',
    (call, name) => {
      const { keys: all, mount, input, disableUpsert } = call
      const held = all.find(mount, name)
      call.authorize(held === undefined ? 'create' : 'update')
      if (held === undefined && disableUpsert) throw unknownKey()
      // A token with `create` makes a key when it encrypts under a free name.
      const [first = {}] = batchOf(input) ?? [input]
      const derived = textOf(first, 'context') !== ''
      return run(call, held ?? all.ensure(mount, { name, derived }), sealed, 400)
    },
  ],
  ['decrypt', (call, name) => run(call, used(call, name), opened, 400)],
  ['rewrap', (call, name) => run(call, used(call, name), rewrapped, 200)],
  [
    'datakey',
    async (call, name) => {
      const key = used(call, name)
      const [, kind = ''] = call.path
      note(call.record, call.input, undefined)
      if (kind !== 'plaintext' && kind !== 'wrapped')
        throw new Refusal(400, "Invalid path, must be 'plaintext' or 'wrapped'")
      const bits = integerOf(call.input, 'bits') || 256
      if (bits !== 128 && bits !== 256 && bits !== 512) throw new Refusal(400, 'invalid bit length')
      const dek = crypto.getRandomValues(new Uint8Array(bits / 8))
      const binding = bindingOf({ context: call.input['context'] })
      const made = await seal(key, dek, binding, call.defects)
      const data = { ciphertext: made.ciphertext, key_version: made.version }
      const ignored = Object.keys(call.input).filter((one) => !['bits', 'context'].includes(one))
      const warnings = [`Endpoint ignored these unrecognized parameters: [${ignored.join(' ')}]`]
      return {
        data: kind === 'wrapped' ? data : { ...data, plaintext: encodeBase64(dek) },
        ...(ignored.length > 0 && { warnings }),
      }
    },
  ],
])

/** `keys`, `keys/<name>`, `keys/<name>/rotate`, `keys/<name>/config` and `keys/<name>/trim`. */
function keys(call: TransitCall, [name = '', action, ...more]: readonly string[]): TransitAnswer {
  const { keys: all, mount, method, input, record, authorize } = call
  const writes = method === 'POST' || method === 'PUT'
  if (more.length > 0 || (name !== '' && !NAME.test(name))) throw noRoute()
  record.operation = action ?? 'keys'
  if (name === '') {
    if (method !== 'LIST') throw unsupported()
    authorize('list')
    const names = all.names(mount)
    if (names.length === 0) throw notFound()
    return { data: { keys: names } }
  }
  const held = all.find(mount, name)
  if (action === undefined && writes) {
    authorize(held === undefined ? 'create' : 'update')
    const type = textOf(input, 'type') || 'aes256-gcm96'
    const [derived, convergent] = [
      input['derived'] === true,
      input['convergent_encryption'] === true,
    ]
    if (!KEY_TYPES.has(type)) throw new Refusal(400, `unknown key type ${type}`)
    if (convergent && !derived)
      throw new Refusal(400, 'convergent encryption requires derivation to be enabled')
    const period = autoRotateSeconds(input) ?? 0
    const key = all.ensure(mount, { name, type, derived, convergent })
    // Of a key that is there, Vault ignores what it was asked to be.
    if (held === undefined) {
      key.autoRotateSeconds = period
      key.exportable = input['exportable'] === true
    }
    return { data: keyInfo(key) }
  }
  if (action === undefined) authorize(method === 'DELETE' ? 'delete' : 'read')
  else authorize('update')
  if (held === undefined) {
    if (action === undefined && method !== 'DELETE') throw notFound()
    throw new Refusal(
      400,
      action === 'config' ? `no existing key named ${name} could be found` : 'key not found',
    )
  }
  if (action === undefined && method === 'DELETE') {
    if (!held.deletionAllowed) throw new Refusal(400, 'deletion is not allowed for this key')
    all.delete(mount, name)
    return { status: 204 }
  }
  if (action === 'rotate') all.rotate(held)
  else if (action === 'config') configure(held, input)
  else if (action === 'trim') trim(held, input)
  else if (action !== undefined) throw noRoute()
  return { data: keyInfo(held) }
}

function used(call: TransitCall, name: string): TransitKeyState {
  call.authorize('update')
  const key = call.keys.find(call.mount, name)
  if (key === undefined) throw unknownKey()
  return key
}

function unknownKey(): Refusal {
  return new Refusal(400, 'encryption key not found')
}

function unsupported(): Refusal {
  return new Refusal(405, '1 error occurred:\n\t* unsupported operation\n\n')
}

function noRoute(): Refusal {
  return notFound('1 error occurred:\n\t* unsupported path\n\n')
}
