/**
 * A small project installs the tarball and imports every subpath. It compiles without `skipLibCheck`, under the
 * oldest compiler and `lib` that the package promises and under the newest. Needs `dist`.
 */
import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { ensureFolder, node24, root, toolEnv } from './lib/folders.mjs'
import { installInto, scratchFolder } from './lib/pack.mjs'
import { subpaths } from './lib/subpaths.mjs'

const compilers = {
  'TypeScript 5.9': join(ensureFolder('package'), 'node_modules/typescript-5.9/bin/tsc'),
  'TypeScript 7': join(root, 'node_modules/typescript/bin/tsc'),
}
const libraries = ['es2022', 'es2023']
const { dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))

const folder = scratchFolder('consumer')
const write = (name, text) => writeFileSync(join(folder, name), text)

/** The tarball itself, and what npm would install beside it. */
function install() {
  installInto(folder)
  for (const name of [...Object.keys(dependencies), '@opentelemetry/api']) {
    const path = join(folder, 'node_modules', name)
    mkdirSync(dirname(path), { recursive: true })
    symlinkSync(join(root, 'node_modules', name), path, 'dir')
  }
}

const imports = subpaths.map(({ subpath }, i) => {
  const specifier = `edge-kms${subpath.slice(1)}`
  return `import * as part${i} from '${specifier}'\nexport const used${i}: object = part${i}\n`
})

/** The compiler must see the types of the package: it refuses an `@ts-expect-error` above a line that is right. */
const program = `import { EnvelopeCipher, SecretBytes } from 'edge-kms'
import { EnvKeyProvider } from 'edge-kms/local'

const cipher = new EnvelopeCipher({ kms: new EnvKeyProvider({ EDGE_KMS_KEY_V1: '' }) })
export const sealed: Promise<string> = cipher.encryptText('text', { context: { tenant: 'acme' } })
export const wipe = (secret: SecretBytes): void => secret[Symbol.dispose]()
interface Owner { readonly tenant: string }
const owner: Owner = { tenant: 'acme' }
export const owned: Promise<string> = cipher.encryptText('text', { context: owner, aad: owner })
// @ts-expect-error -- a value of a context is a string
export const loose = cipher.encryptText('text', { context: { tenant: 5 } })
// @ts-expect-error -- a KMS is an object
export const wrong = new EnvelopeCipher({ kms: 5 })
`

function compile(compiler, lib) {
  const compilerOptions = {
    target: lib,
    lib: [lib, 'dom', 'dom.iterable', 'dom.asynciterable'],
    module: 'nodenext',
    moduleResolution: 'nodenext',
    // No types of Node: they would bring what is missing in an older `lib`.
    types: [],
    strict: true,
    exactOptionalPropertyTypes: true,
    noEmit: true,
    skipLibCheck: false,
  }
  write('tsconfig.json', JSON.stringify({ compilerOptions, files: ['all.ts', 'program.ts'] }))
  const args = [compiler, '-p', folder, '--pretty', 'false']
  return spawnSync(node24, args, { cwd: folder, env: toolEnv(), encoding: 'utf8' })
}

install()
write('package.json', '{ "name": "a-consumer", "type": "module" }')
write('all.ts', imports.join(''))
write('program.ts', program)

let failed = 0
for (const [name, compiler] of Object.entries(compilers)) {
  for (const lib of libraries) {
    const { status, stdout, stderr } = compile(compiler, lib)
    console.log(`${status === 0 ? 'ok' : 'FAILED'} ${name}, lib ${lib}`)
    if (status === 0) continue
    failed++
    console.log(`${stdout}${stderr}`.trim())
  }
}
process.exitCode = failed === 0 ? 0 : 1
