/** Real envelopes of every kind, made with a seeded runtime: what the fuzzer mutates. */
import { EncryptedEnvelope, EnvelopeCipher } from '../../src/index.ts'
import { createLocalKms } from '../../src/providers/local/index.ts'
import { MemoryDataKeyStore } from '../../src/stores/index.ts'
import { encodeHead, encodeKeyHeader } from '../../src/wire/index.ts'
import { Random } from './random.mjs'

const NOW = 1_767_225_600_000
/** @type {import('../../src/index.ts').EncryptionContext[]} */
const CONTEXTS = [{}, { tenant: 'acme' }, { tenant: 'acme', 'ключ-😀': 'значение', z: '' }]
/** @type {import('../../src/index.ts').EnvelopeForm[]} */
const FORMS = ['inline', 'reference']
const SIZES = [0, 1, 64, 16_385]

/** A local KMS that counts what would be network calls. */
function countingKms(runtime, key) {
  const kms = createLocalKms({ versions: [{ version: 1, key }], runtime })
  const count = { unwraps: 0 }
  const counted = new Proxy(kms, {
    get(target, name) {
      const value = target[name]
      if (typeof value !== 'function') return value
      return (...args) => {
        if (name === 'unwrapDataKey') count.unwraps += 1
        return value.apply(target, args)
      }
    },
  })
  return { kms: counted, count }
}

/** The offsets of an inline message's flags, counts and lengths. */
function lengthFields(envelope, bytes) {
  if (envelope.createdAtMs === undefined) return []
  const at = [76, 77]
  let end = envelope.headBytes
  for (const wrap of [...envelope.wraps].reverse()) {
    const sizes = [wrap.kekId, wrap.kekVersion].map((text) => Buffer.byteLength(text))
    const wrapped = end - wrap.wrapped.length - 2
    const version = wrapped - sizes[1] - 2
    const id = version - sizes[0] - 2
    const provider = id - wrap.provider.length - 1
    at.push(wrapped, wrapped + 1, version, version + 1, id, id + 1, provider)
    end = provider
  }
  at.push(end - 1)
  return at.filter((place) => place < bytes.length)
}

async function gather(stream) {
  return new Uint8Array(await new Response(stream).arrayBuffer())
}

export async function makeCorpus(seed) {
  const random = new Random(seed, 0xc0_11_ec_70)
  const runtime = { now: () => NOW, randomFill: (bytes) => random.fill(bytes) }
  const { kms, count } = countingKms(runtime, random.fill(new Uint8Array(32)))
  const dataKeyStore = new MemoryDataKeyStore()
  const options = { kms, runtime, dataKeyStore, maxWraps: 16 }
  const cipher = new EnvelopeCipher(options)
  const items = []
  const add = (bytes, plaintext, context) => {
    const envelope = EncryptedEnvelope.parse(bytes)
    const lengths = lengthFields(envelope, bytes)
    items.push({
      bytes,
      plaintext,
      context,
      kind: envelope.kind,
      head: envelope.headBytes,
      lengths,
    })
    return envelope
  }
  for (const context of CONTEXTS) {
    for (const size of SIZES) {
      const plaintext = random.fill(new Uint8Array(size))
      for (const form of FORMS) {
        const record = await cipher.encrypt(plaintext, { context, form })
        const envelope = add(record, plaintext, context)
        if (form === 'inline') add(envelope.toDataKeyRecord(), undefined, context)
        const source = new Blob([plaintext]).stream()
        const stream = source.pipeThrough(cipher.encryptStream({ context, form }))
        add(await gather(stream), plaintext, context)
      }
    }
  }
  add(manyWraps(items[0]), items[0].plaintext, {})
  return { items, count, cached: cipher, cold: new EnvelopeCipher({ ...options, cache: false }) }
}

/** The message with 15 wraps of other keys before its own: the most that a header may have. */
function manyWraps({ bytes, head }) {
  const { wraps, commitment, createdAtMs = 0, storedContext } = EncryptedEnvelope.parse(bytes)
  const foreign = Array.from({ length: 15 }, (_, i) => {
    const wrapped = new Uint8Array(40 * i + 1)
    return { provider: 'aws-kms', kekId: `key-${i}`, kekVersion: i % 2 ? '' : `${i}`, wrapped }
  })
  const fields = {
    salt: bytes.slice(4, 36),
    createdAtMs,
    stored: storedContext ?? {},
    commitment,
  }
  const header = encodeKeyHeader(fields, [...foreign, ...wraps])
  return Buffer.concat([encodeHead('record', header.bytes), bytes.subarray(head)])
}
