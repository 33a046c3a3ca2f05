/**
 * `docs/from-the-specification.md` against the built package: every name of the specification's module has a
 * row, and what a row says is here is exported there. `Class.method` of a class must exist, too.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { root } from './folders.mjs'

const DOCUMENT = 'docs/from-the-specification.md'

/** Every name on the specification's page. */
const NAMES = [
  'CacheStats CachedKms CircuitBreakerConfig CircuitBreakerKms DataEncryptionKey EncryptedEnvelope',
  'EncryptionContext EnvKeyProvider KeyRotationManager KeyRotationResult KmsAuditEvent KmsCacheConfig',
  'KmsMetrics KmsMetricsSnapshot ResilientKmsConfig RetryConfig RetryKms CircuitState KmsConfig KmsError',
  'KmsOperation VaultAuth KeyManagementService create_kms create_resilient_kms Result',
].flatMap((line) => line.split(' '))

const quoted = (/** @type {string} */ cell) =>
  [...cell.matchAll(/`([^`]+)`/g)].map(([, text = '']) => text)

/** @param {string} subpath - `edge-kms` or `edge-kms/name` */
const fileOf = (subpath) => subpath.split('/')[1] ?? 'index'

/** The names, types included, that a subpath exports. @param {string} subpath */
function exportsOf(subpath) {
  const text = readFileSync(join(root, 'dist', `${fileOf(subpath)}.d.ts`), 'utf8')
  const lists = [...text.matchAll(/export (?:type )?\{([^}]*)\}/g)].flatMap(([, list = '']) =>
    list.split(','),
  )
  // A file that nothing shares a chunk with declares its names where it exports them.
  for (const [, name = ''] of text.matchAll(/^export declare (?:class|const|function) (\w+)/gm))
    lists.push(name)
  return new Set(
    lists.map((one) =>
      one
        .trim()
        .replace(/^type /, '')
        .replace(/^.* as /, ''),
    ),
  )
}

/** @returns {Promise<string[]>} what is wrong */
export async function specificationProblems() {
  const text = readFileSync(join(root, DOCUMENT), 'utf8')
  const table = text.split('## Names')[1]?.split('\n## ')[0] ?? ''
  const rows = table
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .map((line) => line.split('|').map((cell) => cell.trim()))
  const problems = []
  const listed = rows.flatMap(([, name = '']) => quoted(name))
  for (const name of NAMES) if (!listed.includes(name)) problems.push(`${name} has no row`)
  for (const [, name = '', here = '', place = ''] of rows) {
    const [subpath] = quoted(place)
    if ((subpath === undefined) !== (quoted(here).length === 0))
      problems.push(`${name}: name or subpath is missing`)
    if (subpath === undefined) continue
    const known = exportsOf(subpath)
    for (const one of quoted(here))
      if (!known.has(one)) problems.push(`${name}: ${subpath} does not export ${one}`)
  }
  const load = (/** @type {string} */ name) =>
    import(pathToFileURL(join(root, 'dist', `${name}.js`)).href)
  const classes = { ...(await load('index')), ...(await load('observability')) }
  for (const [, owner = '', member = ''] of text.matchAll(/`([A-Z][A-Za-z]+)\.([a-z]\w*)`/g)) {
    const found = classes[owner]
    if (found !== undefined && !(member in found) && !(member in (found.prototype ?? {})))
      problems.push(`${owner}.${member} does not exist`)
  }
  return problems.map((problem) => `${DOCUMENT}: ${problem}`)
}
