/** Words that a folder must not contain: the sentences of docs/architecture/layers.md about single words. */

const only = (place) => `Only ${place} may use this: take it from the Runtime port.`

/** Everywhere. */
export const moduleBans = [
  {
    selector: 'ExportDefaultDeclaration',
    message: 'Named exports only.',
  },
  {
    selector: 'ExportSpecifier[exported.name="default"]',
    message: 'Named exports only.',
  },
  {
    // A constructor has no `#` form, nor has the method that a decorator writes for InterceptedKms.
    selector:
      ':matches(PropertyDefinition, MethodDefinition[kind!="constructor"], AccessorProperty)[accessibility=/^(private|protected)$/]:not([accessibility="protected"][key.name="around"])',
    message: 'Use a #private name.',
  },
]

/** In src/data-keys: the code that decides age, revocation and adoption must read straight through. */
export const inheritanceBans = [
  {
    selector: 'ClassDeclaration[superClass], ClassExpression[superClass]',
    message: 'No inheritance in data-keys: compose.',
  },
]

/** In src and adapters. */
export const importBans = [
  {
    selector: 'ExportAllDeclaration',
    message: 'Re-export by an explicit list.',
  },
  {
    selector: 'ImportExpression',
    message: 'No dynamic import: what a module needs is known at build time.',
  },
  {
    selector: 'ImportDeclaration[source.value=/^\\.{1,2}\\u002F(?!.*\\.ts$)/]',
    message: 'A relative import ends in .ts.',
  },
]

/** Names that exist on one platform only. */
export const platformBans = [
  'document',
  'window',
  'self',
  'localStorage',
  'sessionStorage',
  'indexedDB',
  'navigator',
  'location',
  'history',
  'alert',
  'XMLHttpRequest',
  'FileReader',
  'Image',
  'requestAnimationFrame',
  'requestIdleCallback',
  'process',
  'Buffer',
  'global',
  'require',
  'module',
  '__dirname',
  '__filename',
  'setImmediate',
  'Deno',
  'Bun',
  'caches',
].map((name) => ({ name, message: 'src runs on every platform: this name does not.' }))

/** Clock, timers, random numbers and the network: src/runtime (and src/testing, adapters/fakes). */
export const clockBans = {
  globals: [
    'setTimeout',
    'clearTimeout',
    'setInterval',
    'clearInterval',
    'fetch',
    'performance',
    'WebSocket',
    'EventSource',
  ].map((name) => ({ name, message: only('src/runtime') })),
  properties: [
    { object: 'Date', property: 'now' },
    { object: 'Math', property: 'random' },
    { object: 'AbortSignal', property: 'timeout' },
    { object: 'crypto', property: 'getRandomValues' },
    { object: 'crypto', property: 'randomUUID' },
  ].map((ban) => ({ ...ban, message: only('src/runtime') })),
  syntax: [
    {
      selector: 'NewExpression[callee.name="Date"][arguments.length=0]',
      message: only('src/runtime'),
    },
    { selector: 'CallExpression[callee.name="Date"]', message: only('src/runtime') },
  ],
}

/** crypto.subtle: src/ciphers, src/credentials, src/testing, adapters/fakes. */
export const cryptoBan = {
  selector:
    ':matches(MemberExpression[property.name="subtle"], MemberExpression[property.value="subtle"], ObjectPattern > Property[key.name="subtle"])',
  message: 'Only src/ciphers, src/credentials, src/testing and adapters/fakes call crypto.subtle.',
}

/** src/wire is pure and synchronous: no crypto, no I/O, no async. */
export const wireBans = {
  globals: ['crypto', 'Promise', 'AbortSignal', 'ReadableStream', 'TransformStream'].map(
    (name) => ({ name, message: 'src/wire is synchronous and pure.' }),
  ),
  syntax: [
    {
      selector:
        ':matches(FunctionDeclaration, FunctionExpression, ArrowFunctionExpression)[async=true]',
      message: 'src/wire is synchronous.',
    },
    { selector: 'AwaitExpression', message: 'src/wire is synchronous.' },
  ],
}

/**
 * One place's bans; later places in the configuration replace earlier ones whole.
 *
 * @returns {import('eslint').Linter.Config[]}
 */
export const bans = ({ files, globals, properties, syntax }) => [
  {
    files,
    rules: {
      'no-restricted-globals': ['error', { globals, checkGlobalObject: true }],
      'no-restricted-properties': properties.length === 0 ? 'off' : ['error', ...properties],
      'no-restricted-syntax': ['error', ...syntax],
    },
  },
]
