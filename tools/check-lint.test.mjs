/**
 * Proves the linter's own bans: plants one violation of each in a copy of the tree's shape and sees
 * it refused there, and let through where the same word is allowed.
 */
import { spawnSync } from 'node:child_process'
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { binOf, ensureFolder, node24, root, toolEnv } from './lib/folders.mjs'

const globals = 'no-restricted-globals'
const properties = 'no-restricted-properties'
const syntax = 'no-restricted-syntax'
const floating = '@typescript-eslint/no-floating-promises'
const work = 'async function work(): Promise<void> {\n  await Promise.resolve()\n}\n'

/**
 * Code, the rule that must refuse it, where it must, and where that rule must be silent.
 *
 * @type {[code: string, rule: string, refused: string[], allowed: string[]][]}
 */
const cases = [
  [
    'export const now = Date.now()',
    properties,
    ['src/kms'],
    ['src/runtime', 'src/testing', 'adapters/fakes', 'test'],
  ],
  ['export const now = new Date()', syntax, ['src/kms'], ['src/runtime', 'test']],
  ['export const then = new Date(0)', syntax, [], ['src/kms']],
  ['export const random = Math.random()', properties, ['src/kms'], ['src/runtime']],
  ['export const uuid: string = crypto.randomUUID()', properties, ['src/ciphers'], ['src/runtime']],
  [
    'export const key: Uint8Array = crypto.getRandomValues(new Uint8Array(1))',
    properties,
    ['src/ciphers'],
    ['src/runtime'],
  ],
  [
    'export const signal: AbortSignal = AbortSignal.timeout(1)',
    properties,
    ['src/http'],
    ['src/runtime'],
  ],
  ['setTimeout(() => undefined, 1)', globals, ['src/http'], ['src/runtime', 'src/testing']],
  ['globalThis.setTimeout(() => undefined, 1)', globals, ['src/http'], ['src/runtime']],
  ['setInterval(() => undefined, 1)', globals, ['src/http'], ['src/runtime']],
  ["export const got = fetch('x')", globals, ['src/http'], ['src/runtime', 'src/testing']],
  ["export const got = globalThis.fetch('x')", globals, ['src/http'], ['src/runtime']],
  [
    'export const subtle: SubtleCrypto = crypto.subtle',
    syntax,
    ['src/envelope', 'src/runtime', 'src/wire'],
    ['src/ciphers', 'src/credentials/aws', 'src/testing', 'adapters/fakes', 'test'],
  ],
  ['const { subtle } = crypto\nexport const s = subtle', syntax, ['src/kms'], ['src/ciphers']],
  [
    'export class A {\n  private readonly a = 1\n  b(): number {\n    return this.a\n  }\n}',
    syntax,
    ['src/kms', 'src/ciphers', 'adapters/gateway', 'test'],
    [],
  ],
  ['export class A {\n  private constructor() {\n    void 0\n  }\n}', syntax, [], ['src/kms']],
  ['export default 1', syntax, ['src/kms', 'src/wire', 'adapters/gateway', 'test', 'tools'], []],
  ["export * from './empty.ts'", syntax, ['src/kms', 'adapters/gateway'], []],
  ["export const later = import('./empty.ts')", syntax, ['src/kms'], ['test']],
  ["import './empty.js'", syntax, ['src/kms', 'adapters/gateway'], []],
  ["import './empty.ts'", syntax, [], ['src/kms', 'adapters/gateway']],
  [
    'export const page = document.title',
    globals,
    ['src/kms', 'src/runtime', 'src/testing', 'adapters/fakes'],
    [],
  ],
  ['export const page = window.name', globals, ['src/kms'], []],
  ["export const kept = localStorage.getItem('a')", globals, ['src/kms'], []],
  ['export const agent = navigator.userAgent', globals, ['src/kms'], []],
  ['export const all = globalThis.navigator', globals, ['src/kms'], []],
  [
    'export async function later(): Promise<void> {\n  await Promise.resolve()\n}',
    syntax,
    ['src/wire'],
    ['src/kms'],
  ],
  ['export const random: Crypto = crypto', globals, ['src/wire'], ['src/ciphers']],
  [`${work}work()\nexport const a = 1`, floating, ['src/kms', 'adapters/gateway', 'test'], []],
  [
    'async function work() {\n  await Promise.resolve()\n}\nwork()',
    floating,
    ['tools', 'bench'],
    [],
  ],
  [
    `${work}export const list = [1].forEach(work)`,
    '@typescript-eslint/no-misused-promises',
    ['src/kms', 'test'],
    [],
  ],
  ['export const a: any = 1', '@typescript-eslint/no-explicit-any', ['src/kms', 'test'], []],
  ['// line\n'.repeat(401), 'max-lines', ['src/kms', 'adapters/gateway'], ['src', 'test']],
  ['// line\n'.repeat(201), 'max-lines', ['src/data-keys'], ['src/kms']],
  ['export class A extends Map {}', syntax, ['src/data-keys'], ['src/resilience', 'src/kms']],
  ['/** {@link */\nexport const a = 1', 'tsdoc/syntax', ['src/kms'], []],
]

const tree = mkdtempSync(join(tmpdir(), 'edge-kms-lint-'))
const write = (path, text) => {
  mkdirSync(dirname(join(tree, path)), { recursive: true })
  writeFileSync(join(tree, path), text)
}

const planted = []
function plantAll() {
  for (const [index, [code, rule, refused, allowed]] of cases.entries()) {
    for (const { places, wanted } of [
      { places: refused, wanted: true },
      { places: allowed, wanted: false },
    ]) {
      for (const place of places) {
        const script = place === 'tools' || place === 'bench'
        // `src` itself stands for the one file that may be long.
        const file =
          place === 'src' ? 'src/errors.ts' : `${place}/case-${index}.${script ? 'mjs' : 'ts'}`
        write(file, `${code}\n`)
        write(`${place}/empty.${script ? 'mjs' : 'ts'}`, 'export {}\n')
        planted.push({ file, rule, wanted, code })
      }
    }
  }
}

try {
  const lint = ensureFolder('lint')
  mkdirSync(join(tree, 'tools/lint'), { recursive: true })
  for (const file of ['eslint.config.mjs', 'bans.mjs'])
    copyFileSync(join(lint, file), join(tree, 'tools/lint', file))
  symlinkSync(join(lint, 'node_modules'), join(tree, 'tools/lint/node_modules'))
  symlinkSync(join(root, 'node_modules'), join(tree, 'node_modules'))
  for (const file of ['tsconfig.json', 'test/tsconfig.json', 'tools/tsconfig.json', 'package.json'])
    write(file, readFileSync(join(root, file), 'utf8'))
  for (const name of ['gateway', 'fakes'])
    write(
      `adapters/${name}/tsconfig.json`,
      '{ "extends": "../../tsconfig.json", "compilerOptions": { "rootDir": "../.." }, "include": ["."] }',
    )
  plantAll()

  const places = ['src', 'adapters', 'test', 'tools', 'bench']
  const args = ['--config', 'tools/lint/eslint.config.mjs', '--format', 'json', ...places]
  const done = spawnSync(node24, [binOf('lint', 'eslint'), ...args], {
    cwd: tree,
    env: toolEnv(),
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  })
  if (done.stdout === '') throw new Error(`eslint said: ${done.stderr}`)
  const seen = new Map(
    JSON.parse(done.stdout).map(({ filePath, messages }) => [
      filePath.slice(tree.length + 1),
      messages,
    ]),
  )

  let failed = 0
  for (const { file, rule, wanted, code } of planted) {
    const messages = seen.get(file)
    const fatal = messages === undefined || messages.some((message) => message.fatal)
    if (!fatal && messages.some((message) => message.ruleId === rule) === wanted) continue
    failed++
    const what = fatal ? 'could not be linted' : wanted ? 'was let through' : 'was refused'
    console.log(`FAILED ${file}: ${what} (${rule})\n${code.slice(0, 200)}`)
    if (fatal) console.log(messages)
  }
  console.log(`lint-rules: ${planted.length - failed} passed, ${failed} failed`)
  process.exitCode = failed === 0 ? 0 : 1
} finally {
  rmSync(tree, { recursive: true, force: true })
}
