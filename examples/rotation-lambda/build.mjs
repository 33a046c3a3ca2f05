/** Bundles each handler into one file of `dist`. The AWS SDK is in Lambda's Node runtime already. */
import { build } from 'esbuild'

await build({
  entryPoints: ['src/rotate.ts', 'src/start.ts'],
  outdir: 'dist',
  outExtension: { '.js': '.mjs' },
  bundle: true,
  minify: true,
  sourcemap: true,
  format: 'esm',
  platform: 'node',
  target: 'node24',
  external: ['@aws-sdk/*'],
  logLevel: 'warning',
})
