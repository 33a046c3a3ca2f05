/**
 * The house rules as far as a machine can check them. Run from the root:
 * `npm run lint` = `node tools/with.mjs lint eslint -c tools/lint/eslint.config.mjs …`.
 * `tools/check-lint.test.mjs` plants one violation of each rule of ours and sees it refused.
 */
import { existsSync, globSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import tsdoc from 'eslint-plugin-tsdoc'
import { defineConfig, globalIgnores } from 'eslint/config'
import tseslint from 'typescript-eslint'
import {
  bans,
  clockBans,
  cryptoBan,
  importBans,
  inheritanceBans,
  moduleBans,
  platformBans,
  wireBans,
} from './bans.mjs'

const root = fileURLToPath(new URL('../..', import.meta.url))
const projects = [
  'tsconfig.json',
  'test/tsconfig.json',
  'tools/tsconfig.json',
  'tools/runtimes/deno/tsconfig.json',
  ...globSync('{adapters,examples}/*/tsconfig.json', { cwd: root }),
].filter((path) => existsSync(`${root}/${path}`))

export default defineConfig(
  globalIgnores([
    '**/node_modules/',
    'dist/',
    'dist.*/',
    'coverage/',
    '.edge-kms/',
    '**/.wrangler/',
    'docs/.vitepress/{cache,dist}/',
    '**/worker-configuration.d.ts',
    'test/vectors/**/*.json',
  ]),
  {
    files: ['**/*.ts', '**/*.mjs'],
    extends: [tseslint.configs.strictTypeChecked],
    plugins: { tsdoc },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    languageOptions: { parserOptions: { project: projects, tsconfigRootDir: root } },
    rules: {
      'tsdoc/syntax': 'error',
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/consistent-type-imports': [
        'error',
        // `typeof import('edge-kms')` is how a suite names the package that it is given.
        { fixStyle: 'inline-type-imports', disallowTypeAnnotations: false },
      ],
      '@typescript-eslint/no-import-type-side-effects': 'error',
      '@typescript-eslint/consistent-type-definitions': ['error', 'interface'],
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
      '@typescript-eslint/no-unused-vars': [
        'error',
        { argsIgnorePattern: '^_', varsIgnorePattern: '^_' },
      ],
      eqeqeq: 'error',
      'no-console': 'off',
      // Numbers in templates print as everyone expects; the other types of this rule stay refused.
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      // An interface may ask for a promise from a method that has nothing to await: async then
      // turns a throw into a rejection, which is what the caller was promised.
      '@typescript-eslint/require-await': 'off',
      // `() => void work()` as an arrow's whole body is plain; the rule's fix is only longer.
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      // `x = undefined` and `T | void` aside, it refuses what isolatedDeclarations asks for.
      '@typescript-eslint/no-unnecessary-type-parameters': 'off',
      'no-restricted-syntax': ['error', ...moduleBans],
    },
  },
  {
    files: ['src/**/*.ts', 'adapters/**/*.ts'],
    rules: {
      'max-lines': ['error', { max: 400 }],
      '@typescript-eslint/explicit-module-boundary-types': 'error',
      'no-console': 'error',
      'no-restricted-syntax': ['error', ...moduleBans, ...importBans],
    },
  },
  { files: ['src/errors.ts'], rules: { 'max-lines': 'off' } },
  ...bans({
    files: ['src/**/*.ts'],
    globals: [...platformBans, ...clockBans.globals],
    properties: clockBans.properties,
    syntax: [...moduleBans, ...importBans, ...clockBans.syntax, cryptoBan],
  }),
  ...bans({
    files: ['src/data-keys/**/*.ts'],
    globals: [...platformBans, ...clockBans.globals],
    properties: clockBans.properties,
    syntax: [...moduleBans, ...importBans, ...clockBans.syntax, cryptoBan, ...inheritanceBans],
  }),
  { files: ['src/data-keys/**/*.ts'], rules: { 'max-lines': ['error', { max: 200 }] } },
  ...bans({
    files: ['src/wire/**/*.ts'],
    globals: [...platformBans, ...clockBans.globals, ...wireBans.globals],
    properties: clockBans.properties,
    syntax: [...moduleBans, ...importBans, ...clockBans.syntax, cryptoBan, ...wireBans.syntax],
  }),
  ...bans({
    files: ['src/runtime/**/*.ts'],
    globals: platformBans,
    properties: [],
    syntax: [...moduleBans, ...importBans, cryptoBan],
  }),
  ...bans({
    files: ['src/ciphers/**/*.ts', 'src/credentials/**/*.ts'],
    globals: [...platformBans, ...clockBans.globals],
    properties: clockBans.properties,
    syntax: [...moduleBans, ...importBans, ...clockBans.syntax],
  }),
  ...bans({
    files: ['src/testing/**/*.ts', 'adapters/fakes/**/*.ts'],
    globals: platformBans,
    properties: [],
    syntax: [...moduleBans, ...importBans],
  }),
  {
    // A file that a platform or a tool loads must have a default export.
    files: [
      'adapters/workers/main.ts',
      'vitest.config.ts',
      '**/*.config.mjs',
      'docs/.vitepress/{config,theme/index}.mjs',
      '**/*.worker.ts',
      '**/worker.ts',
      '**/worker.mjs',
      '**/count-reporter.mjs',
    ],
    rules: { 'no-restricted-syntax': 'off' },
  },
  {
    // The platform wants default exports and `protected`, and its types say `ReadableStream<any>`.
    files: ['examples/{workers,rotation-workers}/**/*.ts'],
    rules: {
      'no-restricted-syntax': 'off',
      '@typescript-eslint/no-unsafe-argument': 'off',
    },
  },
  {
    files: ['test/**/*.ts'],
    rules: {
      // Tests hand wrong types over on purpose, read parsed JSON, and know what an index holds.
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unnecessary-condition': 'off',
      '@typescript-eslint/unbound-method': 'off',
      '@typescript-eslint/only-throw-error': 'off',
      '@typescript-eslint/no-misused-spread': 'off',
    },
  },
  {
    // Plain JavaScript with inferred types: promises are still checked, `any` from JSON is not.
    files: ['**/*.mjs'],
    rules: {
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
      '@typescript-eslint/no-unnecessary-condition': 'off',
      '@typescript-eslint/restrict-plus-operands': 'off',
      '@typescript-eslint/no-misused-spread': 'off',
      '@typescript-eslint/restrict-template-expressions': 'off',
      '@typescript-eslint/no-base-to-string': 'off',
      // JSDoc types in `@param {T}` are TypeScript's, not TSDoc's.
      'tsdoc/syntax': 'off',
    },
  },
)
