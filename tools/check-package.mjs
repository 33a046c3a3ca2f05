/**
 * Checks the contents of a release: the built files and the documents that package.json lists, and nothing else; source
 * maps and links that work where the package is installed; complete metadata. Needs `dist`.
 */
import { existsSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join, posix } from 'node:path'
import { linksOf } from './lib/doc-blocks.mjs'
import { root } from './lib/folders.mjs'
import { packInto, scratchFolder } from './lib/pack.mjs'
import { subpaths } from './lib/subpaths.mjs'

/** The code, its declarations and its map; and what it shares of each. */
const FILES_PER_SUBPATH = 9

const read = (path) => readFileSync(join(root, path), 'utf8')
const manifest = JSON.parse(read('package.json'))
const { files } = packInto(scratchFolder('package'))

function checkFiles() {
  const built = new RegExp(
    `^dist/(?:chunks/[\\w-]+|${subpaths.map(({ name }) => name).join('|')})\\.(?:js|js\\.map|d\\.ts)$`,
  )
  const isExpected = (path) =>
    path === 'package.json' || manifest.files.includes(path) || built.test(path)
  const most = FILES_PER_SUBPATH * subpaths.length
  return [
    ...manifest.files
      .filter((name) => !existsSync(join(root, name)))
      .map((name) => `package.json lists ${name}, which does not exist`),
    ...files.filter((path) => !isExpected(path)).map((path) => `must not hold ${path}`),
    ...(files.length > most ? [`holds ${files.length} files, expected at most ${most}`] : []),
  ]
}

/** Every chunk of code has a map, its sources are files of this tree, and it carries their text. */
function checkMaps() {
  const chunks = files.filter((path) => /^dist\/chunks\/.*\.js$/.test(path))
  const maps = files.filter((path) => path.endsWith('.map'))
  const isSource = (map, source) => {
    const path = posix.join(posix.dirname(map), source)
    return /^(?:src|adapters)\//.test(path) && existsSync(join(root, path))
  }
  return [
    ...chunks.filter((path) => !maps.includes(`${path}.map`)).map((path) => `${path} has no map`),
    ...maps.flatMap((map) => {
      const { sources, sourcesContent = [] } = JSON.parse(read(map))
      return [
        ...sources.filter((source) => !isSource(map, source)),
        ...(sources.length === sourcesContent.length ? [] : ['not the text of each source']),
      ].map((what) => `${map} has ${what}`)
    }),
  ]
}

/** No file tells where it was built. */
function checkPaths() {
  const places = [root.replace(/\/$/, ''), homedir()].filter((place) => place.length > 1)
  return files.flatMap((path) =>
    places.filter((place) => read(path).includes(place)).map((place) => `${path} names ${place}`),
  )
}

/** A page of a registry has only the files that are shipped. */
function checkLinks() {
  return files
    .filter((path) => path.endsWith('.md'))
    .flatMap((path) =>
      linksOf(path)
        .filter((target) => !/^(?:[a-z]+:|#)/.test(target))
        .filter((target) => !files.includes(target.split('#')[0] ?? ''))
        .map((target) => `${path} links to ${target}, which is not shipped: use its full address`),
    )
}

function checkMetadata() {
  const { repository, homepage, bugs } = manifest
  const place = /^git\+(https:\/\/.*)\.git$/.exec(repository?.url ?? '')?.[1]
  const wanted = ['description', 'keywords', 'license', 'author', 'repository', 'homepage', 'bugs']
  const wrong = (entries, pattern) =>
    Object.entries(entries ?? {}).filter(([, version]) => !pattern.test(version))
  return [
    ...wanted.filter((name) => !(name in manifest)).map((name) => `package.json has no ${name}`),
    ...[homepage, bugs?.url]
      .filter((url) => place === undefined || !url?.startsWith(place))
      .map((url) => `package.json: ${url} is not below ${repository?.url}`),
    ...wrong(manifest.dependencies, /^\^\d/).map(([name]) => `${name} must be a range with ^`),
    ...wrong(manifest.devDependencies, /^\d/).map(([name]) => `${name} must be an exact version`),
  ]
}

const checks = {
  files: checkFiles,
  maps: checkMaps,
  paths: checkPaths,
  links: checkLinks,
  metadata: checkMetadata,
}
let failed = 0
for (const [name, check] of Object.entries(checks)) {
  const problems = check()
  console.log(`${problems.length === 0 ? 'ok' : 'FAILED'} ${name}`)
  for (const problem of problems) console.log(`  ${problem}`)
  if (problems.length > 0) failed++
}
console.log(`package: ${files.length} files, ${subpaths.length} subpaths`)
process.exitCode = failed === 0 ? 0 : 1
