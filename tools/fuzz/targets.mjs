/**
 * The targets of the fuzzer. Each takes one input, returns `accepted` or `refused`, and throws where the
 * code under test broke its word. A KmsError is a refusal; any other error is a defect.
 */
import assert from 'node:assert/strict'
import {
  EncryptedEnvelope,
  isKmsError,
  KMS_ERROR_CODES,
  parseContextJson,
} from '../../src/index.ts'
import { encodeKeyHeader, encodeTextForm, parseHead } from '../../src/wire/index.ts'
import { mutatedBytes, mutatedText, randomText } from './mutate.mjs'

/** @type {import('../../src/index.ts').MessageKind[]} */
const KINDS = ['record', 'stream', 'record-by-reference', 'stream-by-reference', 'data-key-record']
const READABLE = KINDS.slice(0, 4)
/** Salt to the last wrap, the preamble, and what a body needs at most to be called a body. */
const MOST_NEEDED = 4 + 65_536 + 6_144 + 256 + 2_048 + 64

const JSONS = [
  '{}',
  '{"tenant":"acme"}',
  ' { "tenant" : "acme" , "row" : "42" }\n',
  '{"__proto__":"x","constructor":"y"}',
  '{"a\\u0062":"\\ud83d\\ude00\\n","é":"😀"}',
]

function refused(error) {
  if (!isKmsError(error) || !KMS_ERROR_CODES.includes(error.code)) throw error
  return 'refused'
}

function parseBytes(random, { items }) {
  const bytes = mutatedBytes(random.pick(items), random, items)
  try {
    EncryptedEnvelope.parse(bytes, { prefix: random.below(2) === 0 })
    return 'accepted'
  } catch (error) {
    return refused(error)
  }
}

function parseText(random, { items }) {
  const item = random.pick(items)
  const text =
    random.below(16) === 0
      ? randomText(random)
      : random.below(2) === 0
        ? encodeTextForm(mutatedBytes(item, random, items))
        : mutatedText(item.text, random)
  try {
    EncryptedEnvelope.parse(text)
    // One message has one text: what is accepted is what the writer writes.
    assert.equal(encodeTextForm(Buffer.from(text.slice(4), 'base64url')), text)
    return 'accepted'
  } catch (error) {
    return refused(error)
  }
}

function head(random, { items }) {
  const bytes = mutatedBytes(random.pick(items), random, items)
  const policy = { acceptVersions: [1], acceptKinds: KINDS, maxWraps: 1 + random.below(16) }
  try {
    const found = parseHead(bytes, policy)
    if ('need' in found) {
      assert.ok(found.need > bytes.length && found.need <= MOST_NEEDED, `need ${found.need}`)
      return 'refused'
    }
    const { header } = found
    if (header === undefined) return 'accepted'
    assert.ok(header.wraps.length <= policy.maxWraps)
    assert.deepEqual(header.bytes, bytes.slice(4, found.bodyAt))
    assert.deepEqual(encodeKeyHeader(header, header.wraps).bytes, header.bytes)
    return 'accepted'
  } catch (error) {
    return refused(error)
  }
}

function contextJson(random) {
  const text = random.below(8) === 0 ? randomText(random) : mutatedText(random.pick(JSONS), random)
  try {
    const map = parseContextJson(text)
    assert.deepEqual({ ...map }, { ...JSON.parse(text) })
    return 'accepted'
  } catch (error) {
    return refused(error)
  }
}

async function decrypt(cipher, random, { items, count }) {
  const item = random.pick(items)
  const bytes = mutatedBytes(item, random, items)
  const before = count.unwraps
  try {
    const plaintext = await cipher.decrypt(bytes, { context: item.context, kinds: READABLE })
    // Every plaintext that opens was encrypted before: anything else is a forgery.
    const genuine = items.some((other) => other.plaintext && equal(other.plaintext, plaintext))
    assert.ok(genuine, 'a plaintext that nobody encrypted')
    return 'accepted'
  } catch (error) {
    return refused(error)
  } finally {
    assert.ok(count.unwraps - before <= 1, `${count.unwraps - before} KMS calls for one envelope`)
  }
}

function equal(a, b) {
  return Buffer.compare(a, b) === 0
}

/** Shares of a hundred. */
export const TARGETS = [
  { name: 'parse-bytes', share: 34, run: parseBytes },
  { name: 'parse-text', share: 15, run: parseText },
  { name: 'head', share: 25, run: head },
  { name: 'context-json', share: 20, run: contextJson },
  {
    name: 'decrypt-cached',
    share: 3,
    run: (random, world) => decrypt(world.cached, random, world),
  },
  { name: 'decrypt-cold', share: 3, run: (random, world) => decrypt(world.cold, random, world) },
]

export function targetOf(random) {
  let left = random.below(100)
  for (const target of TARGETS) if ((left -= target.share) < 0) return target
  throw new Error('the shares do not add up to a hundred')
}
