/**
 * Checks the documents' claims about the code: error codes, layers, lanes, methods and
 * options, MUSTs, requirements, links, and paths that they name.
 */
import { createRequire } from 'node:module'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { KMS_ERROR_CODES, KmsError } from '../src/errors.ts'
import { EnvelopeCipher } from '../src/envelope/index.ts'
import { checkPageList } from './docs/page-list.mjs'
import { anchor } from './lib/anchors.mjs'
import { filesIn, linksOf, markdownFiles, proseOf } from './lib/doc-blocks.mjs'
import { root } from './lib/folders.mjs'
import { checkProviderPlaces } from './lib/provider-places.mjs'

const require = createRequire(import.meta.url)
const REQUIREMENTS = 'docs/requirements.md'
const LAYERS = 'docs/architecture/layers.md'
const LANES = 'docs/architecture/lanes.md'
const CIPHER = 'docs/reference/cipher.md'
const read = (path) => readFileSync(join(root, path), 'utf8')
/** The rows of every table, cells without their surrounding space. */
const rowsOf = (path) =>
  [...proseOf(path).matchAll(/^\| (.*) \|$/gm)].map(([, row]) =>
    row.split(/(?<!\\)\|/).map((cell) => cell.trim()),
  )
const names = (cell) => [...cell.matchAll(/`([^`]+)`/g)].map(([, name]) => name)

/** Comments do not throw, nor does a comparison with a code. */
const code = (path) =>
  read(path)
    .replaceAll(/\/\*.*?\*\//gs, '')
    .replaceAll(/^\s*\/\/.*$/gm, '')
    .replaceAll(/isKmsError\([^()]*\)/g, '')

/** The code that wraps keys, and the code below it, is one area: a user of a service cannot tell them apart. */
function areaOf(path) {
  const [, folder] = path.split('/')
  const services = ['runtime', 'providers', 'credentials', 'http', 'resilience', 'observability']
  return services.includes(folder) ? 'the service' : folder
}

/** The places that make an error of a code: `new KmsError('X'`, a row of a table, a choice. */
function thrownBy() {
  /** @type {Map<string, Set<string>>} */
  const found = new Map(KMS_ERROR_CODES.map((name) => [name, new Set()]))
  for (const path of [...filesIn('src', '.ts'), ...filesIn('adapters/objects', '.ts')]) {
    if (path === 'src/errors.ts' || path.startsWith('src/testing/')) continue
    for (const [, name] of code(path).matchAll(/(?:KmsError\(\s*|code: |[?:] )'(ERR_\w+)'/g)) {
      found.get(name)?.add(areaOf(path))
    }
    if (/throw (?:configError|wrongOption)\(|\brefuseOthers\(/.test(code(path)))
      found.get('ERR_KMS_CONFIG')?.add(areaOf(path))
  }
  return found
}

function checkErrorCodes() {
  const document = 'docs/error-codes.md'
  const problems = []
  const thrown = thrownBy()
  const rows = rowsOf(document).filter(([first]) => first.includes('ERR_'))
  const listed = rows.map(([first]) => names(first)[0])
  if (listed.join() !== KMS_ERROR_CODES.join())
    problems.push(`the table and KMS_ERROR_CODES differ, in members or order`)
  for (const [i, [first, says, retryable, by]] of rows.entries()) {
    const name = listed[i]
    const error = new KmsError(name)
    const fail = (text) => problems.push(`${name}: ${text}`)
    if (!first.endsWith(`(#${name.toLowerCase()})`)) fail('the link does not lead to its section')
    if (says !== error.message) fail(`it says "${error.message}"`)
    if (retryable !== (error.retryable ? 'yes' : 'no')) fail(`retryable is ${error.retryable}`)
    const where = [...(thrown.get(name) ?? [])].sort()
    const claims = by.replaceAll('`', '').split(', ').sort()
    if (where.length === 0 ? by !== '(later)' : claims.join() !== where.join())
      fail(`thrown by ${where.join(', ') || 'nothing: mark it (later)'}, not ${by}`)
    const section = read(document).split(`\n### ${name}\n`)[1]?.split('\n#')[0] ?? ''
    for (const part of ['**Cause.**', '**Fix.**'])
      if (!section.includes(part)) fail(`its section has no ${part}`)
  }
  return problems
}

/** The table of layers against the rule that is checked. */
function checkLayers() {
  const problems = []
  const base = 'base'
  const spell = (cell) =>
    names(cell).flatMap((name) =>
      name === base ? ['bytes', 'errors', 'checks', 'ports', 'runtime'] : [name],
    )
  const rows = new Map(rowsOf(LAYERS).map(([first = '', ...rest]) => [names(first)[0], rest]))
  const { forbidden } = require('./lint/layers.cjs')
  for (const { name, comment } of forbidden) {
    const match = /^(\S+) may import: (.*)$/.exec(comment ?? '')
    if (!name.startsWith('layer-') || match === null) continue
    const [, layer, list] = match
    const row = rows.get(layer)
    const may =
      list === 'nothing' ? [] : list.split(', ').map((one) => one.replace('types of ', ''))
    if (row === undefined) problems.push(`the layer table has no row for ${layer}`)
    else if (spell(row.at(-1)).sort().join() !== may.sort().join())
      problems.push(`${layer} may import ${may.join(', ') || 'nothing'}`)
  }
  return problems
}

/** The lanes of the gate and their budgets. */
function checkLanes() {
  const lanes = [...read('.ci/run').matchAll(/^(?:script_)?lane (\w+) (\d+)/gm)]
  const rows = rowsOf(LANES).map((cells) => [cells[0], cells.at(-1)].join())
  return lanes
    .filter(([, name, budget]) => !rows.includes(`${name},${budget} s`))
    .map(([, name, budget]) => `${LANES} has no lane ${name} of ${budget} s`)
}

/** The page of the cipher names each of its methods, and each option that it and a cache take. */
function checkCipherPage() {
  const cells = new Set(rowsOf(CIPHER).flatMap(([first = '']) => names(first)))
  const methods = Object.getOwnPropertyNames(EnvelopeCipher.prototype)
  const known = [...cells].map((cell) => /^\w+/.exec(cell)?.[0])
  const interfaces = {
    'src/envelope/options.ts': ['CommonOptions', 'KmsCipherOptions', 'SourceCipherOptions'],
    'src/data-keys/data-key-limits.ts': ['DataKeyLimits'],
    'src/data-keys/source-options.ts': ['DataKeyOptions'],
    'src/data-keys/cache/config.ts': ['KmsCacheConfig'],
  }
  const options = Object.entries(interfaces).flatMap(([path, list]) =>
    list.flatMap((name) => {
      const body = new RegExp(`^(?:export )?interface ${name}\\b.*?^}`, 'ms').exec(read(path))?.[0]
      if (body === undefined) return [`${name}, which is not in ${path}`]
      return [...body.matchAll(/^ {2}readonly (\w+)\??:/gm)].map(([, option]) => option)
    }),
  )
  return [...methods.filter((name) => name !== 'constructor'), ...options]
    .filter((name) => !known.includes(name))
    .map((name) => `${CIPHER} has no row for ${name}`)
}

/** MUSTs that are cited exist; the format itself and its tests are tools/musts.mjs's concern. */
function checkMusts() {
  const musts = new Set(
    [...read('docs/wire-format.md').matchAll(/^- \*\*\[(W\d+\.\d+)\]/gm)].map(([, id]) => id),
  )
  return markdownFiles().flatMap((path) =>
    [...read(path).matchAll(/\bW\d+\.\d+\b/g)]
      .filter(([id]) => !musts.has(id))
      .map(([id]) => `${path}: there is no ${id}`),
  )
}

/** Files that may cite a requirement: code, tests and documents. */
function citingFiles() {
  const folders = ['src', 'adapters', 'test', 'bench', 'docs']
  const inFolders = ['.ts', '.mjs', '.md', '.json'].flatMap((ending) =>
    folders.flatMap((folder) => filesIn(folder, ending)),
  )
  return [...inFolders, ...markdownFiles()].filter((path) => path !== REQUIREMENTS)
}

/** Requirements that are cited have a row, and each test of a row exists and cites the number. */
function checkRequirements() {
  const rows = new Map(rowsOf(REQUIREMENTS).map(([id, , tests]) => [id, tests]))
  /** @type {Map<string, string[]>} */
  const cited = new Map()
  for (const path of citingFiles())
    for (const id of new Set(read(path).match(/\bR[1-9]\d?\b/g)))
      cited.set(id, [...(cited.get(id) ?? []), path])
  const problems = [...cited]
    .filter(([id]) => !rows.has(id))
    .map(([id, paths]) => `${id} has no row in ${REQUIREMENTS}; ${paths[0]} cites it`)
  for (const [id, cell] of rows) {
    if (!/^R\d+$/.test(id)) continue
    const inTests = (cited.get(id) ?? []).filter((path) => /^(?:test|bench)\//.test(path))
    const named = names(cell)
    if (named.length === 0 && (cell !== '(later)' || inTests.length > 0))
      problems.push(`${id} names no test; ${inTests[0] ?? 'nothing'} cites it`)
    for (const path of named)
      if (!inTests.includes(path))
        problems.push(`${id}: ${path} does not exist or does not cite it`)
  }
  return problems
}

/** Full addresses of files of this repository, which the page of a registry needs. */
const ownFiles = JSON.parse(read('package.json')).homepage.replace('#readme', '/blob/main/')

function checkLinks() {
  const anchors = (path) =>
    [...proseOf(path).matchAll(/^#+ (.*)$/gm)].map(([, heading]) => anchor(heading))
  return markdownFiles().flatMap((path) =>
    linksOf(path)
      .filter((target) => target.startsWith(ownFiles) || !/^[a-z]+:/.test(target))
      .flatMap((target) => {
        const isFull = target.startsWith(ownFiles)
        const [file = '', fragment] = target.replace(ownFiles, '').split('#')
        const to = file === '' ? path : join(isFull ? '.' : dirname(path), file)
        if (!existsSync(join(root, to))) return [`${path}: ${target} leads nowhere`]
        if (fragment === undefined || !to.endsWith('.md')) return []
        return anchors(to).includes(fragment) ? [] : [`${path}: ${target} has no such heading`]
      }),
  )
}

/** A path in backquotes exists; the lines about what comes later say `(later)`. */
function checkPaths() {
  const place = /^(?:src|adapters|docs|test|tools|bench|examples|\.ci)\/[\w./*{},-]*$/
  return markdownFiles().flatMap((path) =>
    proseOf(path)
      .split('\n')
      .filter((line) => !line.includes('(later)'))
      .flatMap(names)
      // A place of any provider is checked for each of them.
      .filter((name) => place.test(name) && !/NAME|VENDOR/.test(name))
      // The README of an example names places of the example.
      .filter((name) =>
        [root, join(root, dirname(path))].every((cwd) => globSync(name, { cwd }).length === 0),
      )
      .map((name) => `${path}: there is no ${name}`),
  )
}

const checks = {
  'error codes': checkErrorCodes,
  layers: checkLayers,
  lanes: checkLanes,
  'methods and options': checkCipherPage,
  musts: checkMusts,
  requirements: checkRequirements,
  links: checkLinks,
  'pages of the site': checkPageList,
  paths: checkPaths,
  'places of a provider': checkProviderPlaces,
}

let failed = 0
for (const [name, check] of Object.entries(checks)) {
  const problems = check()
  console.log(`${problems.length === 0 ? 'ok' : 'FAILED'} ${name}`)
  for (const problem of problems) console.log(`  ${problem}`)
  if (problems.length > 0) failed++
}
console.log(`docs: ${Object.keys(checks).length - failed} passed, ${failed} failed`)
process.exitCode = failed === 0 ? 0 : 1
