// Extracts the numbers of public test vectors into test/vectors, so that a bare clone runs them.
// Takes ids, hex, flags and results; leaves prose behind. Usage:
//   node tools/vectors/extract.mjs <folder with SOURCES.md, wycheproof/, xaes-256-gcm/ and edge-kms/>
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const from = process.argv[2]
if (from === undefined) {
  console.error('usage: node tools/vectors/extract.mjs <folder of vectors>')
  process.exit(2)
}
const to = join(import.meta.dirname, '..', '..', 'test', 'vectors')

// The fields that each kind of test needs; all others (above all comments) are dropped.
const FIELDS = {
  AeadTest: ['tcId', 'key', 'iv', 'aad', 'msg', 'ct', 'tag', 'result', 'flags'],
  HkdfTest: ['tcId', 'ikm', 'salt', 'info', 'size', 'okm', 'result', 'flags'],
  MacTest: ['tcId', 'key', 'msg', 'tag', 'result', 'flags'],
  ChunkedEncryption: [
    ...['tcId', 'key', 'ctx', 'ct', 'aeadKey', 'baseNonce', 'msgLength', 'msgSha512'],
    ...['result', 'flags'],
  ],
}
const FILES = [
  'aes_gcm',
  'hkdf_sha512',
  'hmac_sha256',
  'hmac_sha512',
  'c2sp_chunked_encryption_aes_256_gcm',
  'c2sp_chunked_encryption_aes_128_gcm',
]

const source = wycheproofSource(readFileSync(join(from, 'SOURCES.md'), 'utf8'))
mkdirSync(join(to, 'wycheproof'), { recursive: true })
for (const name of FILES) {
  const path = `${name}_test.json`
  const file = JSON.parse(readFileSync(join(from, 'wycheproof', path), 'utf8'))
  const groups = file.testGroups.map((group) => {
    const fields = FIELDS[group.type]
    if (fields === undefined) throw new Error(`${path}: unknown type ${group.type}`)
    const { tests, source: _, ...facts } = group
    return { facts, tests: tests.map((test) => pick(test, fields)) }
  })
  const count = groups.reduce((sum, group) => sum + group.tests.length, 0)
  if (count !== file.numberOfTests)
    throw new Error(`${path}: ${count} of ${file.numberOfTests} tests`)
  const header = { ...source, path: source.path + path, algorithm: file.algorithm, tests: count }
  writeFileSync(join(to, 'wycheproof', `${name}.json`), print(header, groups))
}
writeFileSync(join(to, 'golden.json'), readFileSync(join(from, 'edge-kms', 'golden.json')))
const xaes = JSON.parse(readFileSync(join(from, 'xaes-256-gcm', 'xaes-256-gcm.json'), 'utf8'))
writeFileSync(join(to, 'xaes.json'), JSON.stringify(xaes, null, 1) + '\n')
writeFileSync(join(to, 'NOTICE'), notice(source, xaes.source))

/** Repository, commit and licence, from the table that the folder carries. */
function wycheproofSource(markdown) {
  const row = markdown.split('\n').find((line) => line.startsWith('| wycheproof/'))
  const match = /\| (\S+) @ ([0-9a-f]{40}) [^|]*\| (\S+) \| (\S+) \|/.exec(row ?? '')
  if (match === null) throw new Error('SOURCES.md has no row for wycheproof')
  return { repository: match[1], commit: match[2], path: match[3], licence: match[4] }
}

function pick(test, fields) {
  const row = {}
  for (const field of fields) if (test[field] !== undefined) row[field] = test[field]
  return row
}

/** One test per line: small, and a diff shows what changed. */
function print(header, groups) {
  const lines = groups.map(({ facts, tests }) => {
    const rows = tests.map((test) => '   ' + JSON.stringify(test)).join(',\n')
    return `  {"facts":${JSON.stringify(facts)},"tests":[\n${rows}\n  ]}`
  })
  return `{"source":${JSON.stringify(header)},\n "groups":[\n${lines.join(',\n')}\n]}\n`
}

function notice({ repository, commit, path, licence }, xaesSource) {
  return `Test vectors in this folder

golden.json
  The project's own golden values of wire format version 1, made by an independent program.
  Under the licence of this package.

wycheproof/*.json
  From the GitHub repository ${repository}, folder ${path}, commit ${commit}.
  Copyright of the Wycheproof contributors; ${licence}, the same licence text as in LICENSE.
  Changed: only ids, numbers, flags and results were extracted; comments and notes are left out.
  In the chunked-encryption files, ct is compressed with zlib and then written in hex, as in the source.

xaes.json
  The numbers of ${xaesSource}.
  The GitHub repository is C2SP/C2SP, the file XAES-256-GCM.md. Its text is under CC-BY-4.0
  (https://creativecommons.org/licenses/by/4.0/); copyright of the C2SP contributors.
  Changed: only numbers were extracted; the description of the accumulated test is in other words.

aws-sigv4.json
  From the GitHub repository awslabs/aws-c-auth, folder tests/aws-signing-test-suite/v4/, commit
  495329c2433034bd8fd53fc6ba9e0202d3fac876. Copyright Amazon.com, Inc. or its affiliates; Apache-2.0.
  Changed: one file; of each case the request, what it is signed with, and the results. Its keys are
  the published example keys. Made by tools/vectors/extract-sigv4.mjs.

Made by tools/vectors/extract.mjs.
`
}
