// Writes the test kit of wire format v1 into test/kit/vectors: one file for each case, the same on
// every run. Usage: node tools/kit.mjs [--check]
// --check writes nothing, and fails where a file differs from what would be written.
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { deflateSync, inflateSync } from 'node:zlib'
import { KEK, sha256 } from './kit/build.mjs'
import { headerCases } from './kit/cases-header.mjs'
import { rangeCases } from './kit/cases-range.mjs'
import { recordFailures } from './kit/cases-record.mjs'
import { streamFailures } from './kit/cases-stream.mjs'
import { successCases } from './kit/cases-success.mjs'

const FOLDER = join(import.meta.dirname, '..', 'test', 'kit', 'vectors')
/** Above this a message is compressed: the kit's long messages are almost all zero. */
const PLAIN_BYTES = 8_192

const files = new Map()
const cases = [
  ...[...successCases(), ...headerCases(), ...recordFailures(), ...streamFailures()],
  ...rangeCases(),
]
for (const one of cases) {
  const name = `${one.name}.txt`
  if (files.has(name)) throw new Error(`two cases are named ${one.name}`)
  files.set(name, print(one))
}

if (process.argv.includes('--check')) check()
else write()

function print(one) {
  const [encoding, lines] = bodyOf(one.message)
  const released = one.released ?? Buffer.alloc(0)
  const optional = (name, value) => (value === undefined ? [] : [[name, value]])
  const fields = [
    ['comment', one.comment],
    ['expect', one.expect],
    ['context', ascii(one.context)],
    ['aad', ascii(one.aad)],
    ...(one.keks ?? [KEK]).map((kek) => {
      return ['kek', `${JSON.stringify(kek.kekId)} ${kek.kekVersion} ${kek.key.toString('hex')}`]
    }),
    ...optional('kek-use', one.kekUse),
    ...(one.store ?? []).map((entry) => ['store', storeEntry(entry)]),
    ...optional('accept', one.accept?.join(' ')),
    ...optional('max-wraps', one.maxWraps),
    ...optional('range', one.range && [0, 1, 2].map((i) => one.range[i] ?? '-').join(' ')),
    ['plaintext', `${released.length} ${sha256(released).toString('hex')}`],
    ...optional('length-verified', one.lengthVerified),
    ...optional('length', one.message.pieces && one.message.length),
    ['encoding', encoding],
  ]
  const head = fields.map(([name, value]) => `${name}: ${value}`)
  return `${head.join('\n')}\n\n${lines.join('\n')}\n`
}

/** The name of an encoding, and the lines. */
function bodyOf(message) {
  if (typeof message === 'string') return ['text', [ascii(message)]]
  if (!Buffer.isBuffer(message)) {
    return ['sparse', message.pieces.map(({ at, bytes }) => `${at} ${bytes.toString('hex')}`)]
  }
  const compressed = message.length > PLAIN_BYTES
  const bytes = compressed ? deflateSync(message, { level: 9 }) : message
  return [compressed ? 'zlib' : 'hex', bytes.toString('hex').match(/.{1,64}/g) ?? []]
}

/** The commitment under which a store has a record, and the record. */
function storeEntry(entry) {
  const { commitment, record } = Buffer.isBuffer(entry)
    ? { commitment: entry.subarray(36, 68), record: entry }
    : entry
  return `${commitment.toString('hex')} ${record.toString('hex')}`
}

/** JSON in ASCII, so that a file reads the same in every editor. */
function ascii(value) {
  const escape = (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`
  return JSON.stringify(value).replaceAll(/[\u007f-\uffff]/g, escape)
}

function write() {
  rmSync(FOLDER, { recursive: true, force: true })
  mkdirSync(FOLDER, { recursive: true })
  for (const [name, content] of files) writeFileSync(join(FOLDER, name), content)
  console.log(`kit: ${files.size} cases`)
}

/** Versions of zlib compress in different ways: what counts is what comes out. */
function plain(file) {
  const [fields, body] = file.split('\n\n')
  if (!fields.endsWith('encoding: zlib')) return file
  const bytes = inflateSync(Buffer.from(body.replaceAll('\n', ''), 'hex'))
  return `${fields}\n\n${bytes.toString('hex')}`
}

function check() {
  const present = existsSync(FOLDER) ? readdirSync(FOLDER) : []
  const wrong = [...files.keys()].filter((name) => {
    if (!present.includes(name)) return true
    return plain(readFileSync(join(FOLDER, name), 'utf8')) !== plain(files.get(name))
  })
  wrong.push(...present.filter((name) => !files.has(name)))
  for (const name of wrong) console.error(`  ${name} is not what the tool writes`)
  console.log(`kit: ${files.size - wrong.length} passed, ${wrong.length} failed`)
  process.exitCode = wrong.length > 0 ? 1 : 0
}
