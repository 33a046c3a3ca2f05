import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

/** A Worker, by its path from this folder or a whole one, bundled as wrangler would, for the `modules` of miniflare. */
export async function workerModule(file: string): Promise<{
  readonly type: 'ESModule'
  readonly path: string
  readonly contents: string
}> {
  const bundled = await build({
    entryPoints: [fileURLToPath(new URL(file, import.meta.url))],
    write: false,
    bundle: true,
    format: 'esm',
    target: 'es2022',
    platform: 'browser',
    conditions: ['workerd', 'worker', 'browser'],
    external: ['cloudflare:*'],
    logLevel: 'error',
  })
  return { type: 'ESModule', path: 'worker.mjs', contents: bundled.outputFiles[0]?.text ?? '' }
}
