// Extracts AWS's published Signature Version 4 cases into test/vectors/aws-sigv4.json: the request,
// what it is signed with, and the canonical request and signature that must come out. Usage:
//   node tools/vectors/extract-sigv4.mjs <folder with SOURCES.md and aws-sigv4/>
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const from = process.argv[2]
if (from === undefined) {
  console.error('usage: node tools/vectors/extract-sigv4.mjs <folder of vectors>')
  process.exit(2)
}
const to = join(import.meta.dirname, '..', '..', 'test', 'vectors')
const suite = join(from, 'aws-sigv4', 'tests', 'aws-signing-test-suite', 'v4')

const row = readFileSync(join(from, 'SOURCES.md'), 'utf8')
  .split('\n')
  .find((line) => line.startsWith('| aws-sigv4/'))
const match = /\| (\S+) @ ([0-9a-f]{40}) [^|]*\| [^|]* \| (\S+) \|/.exec(row ?? '')
if (match === null) throw new Error('SOURCES.md has no row for aws-sigv4')
const source = { repository: match[1], commit: match[2], licence: match[3] }

const cases = readdirSync(suite)
  .sort()
  .map((name) => {
    const read = (file) => readFileSync(join(suite, name, file), 'utf8')
    const context = JSON.parse(read('context.json'))
    return {
      name,
      request: read('request.txt'),
      region: context.region,
      service: context.service,
      timestamp: context.timestamp,
      accessKeyId: context.credentials.access_key_id,
      secretAccessKey: context.credentials.secret_access_key,
      ...(context.credentials.token !== undefined && { sessionToken: context.credentials.token }),
      omitSessionToken: context.omit_session_token === true,
      normalize: context.normalize,
      signBody: context.sign_body,
      canonicalRequest: read('header-canonical-request.txt'),
      signature: read('header-signature.txt').trim(),
    }
  })
const lines = cases.map((one) => '  ' + JSON.stringify(one)).join(',\n')
writeFileSync(
  join(to, 'aws-sigv4.json'),
  `{"source":${JSON.stringify(source)},\n "cases":[\n${lines}\n]}\n`,
)
console.log(`${cases.length} cases`)
