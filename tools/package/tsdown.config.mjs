/**
 * One bundled file for each subpath, with its declarations and source maps. Code that several subpaths
 * use goes to shared chunks. Dependencies and peers in package.json stay imports.
 */
import { root } from '../lib/folders.mjs'
import { subpaths } from '../lib/subpaths.mjs'

/** So that declarations with `Symbol.dispose` compile for projects whose `lib` is older than it. */
const disposableTypes = {
  name: 'disposable-types',
  renderChunk: (code, { fileName }) =>
    fileName.endsWith('.d.ts') && code.includes('Symbol.dispose')
      ? { code: `/// <reference lib="esnext.disposable" />\n${code}`, map: null }
      : undefined,
}

export default {
  cwd: root,
  entry: Object.fromEntries(subpaths.map(({ name, source }) => [name, source])),
  format: 'esm',
  platform: 'neutral',
  target: 'es2023',
  tsconfig: 'tsconfig.build.json',
  dts: true,
  sourcemap: true,
  plugins: [disposableTypes],
  deps: { neverBundle: [/^(?:node|cloudflare):/] },
  // A warning, such as an import that does not resolve, fails the build.
  failOnWarn: true,
  // A busy machine is not a fault.
  checks: { bundlerTimings: false },
  outputOptions: {
    chunkFileNames: 'chunks/[name]-[hash].js',
    // Most subpaths use most of these layers: one file to read instead of a dozen. Not their declarations, `*.d.ts`.
    codeSplitting: {
      groups: [
        { name: 'base', test: /\/src\/(?:errors|(?:bytes|checks|ports|runtime|kms)\/[\w-]+)\.ts$/ },
      ],
    },
    // The declarations carry the doc comments. Bundlers need the annotations to drop unused code.
    comments: { jsdoc: false, legal: true, annotation: true },
  },
}
