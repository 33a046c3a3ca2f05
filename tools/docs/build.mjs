/** Builds the documentation site from docs/ and from the doc comments. */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { binOf, ensureFolder, node24, root, run, toolEnv } from '../lib/folders.mjs'

const DOCS = '../docs'
/** The folder of the built site. */
export const siteFolder = join(root, 'docs/.vitepress/dist')

/** Runs a command and prints its output; throws if it fails or warns. */
function runQuietly(what, command, args) {
  const done = spawnSync(command, args, {
    cwd: root,
    // NO_COLOR beside FORCE_COLOR makes Node warn.
    env: { ...toolEnv(), NO_COLOR: '1', FORCE_COLOR: undefined },
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    maxBuffer: 1 << 26,
  })
  const output = `${done.stdout}${done.stderr}`
  if (done.status === 0 && warningsIn(output).length === 0) return
  console.log(output.trimEnd())
  throw new Error(done.status === 0 ? `${what} warned` : `${what} failed`)
}

/** Returns the lines that warn: of VitePress, Vite, Rollup, Vue, typedoc and Node. */
export function warningsIn(output) {
  return output
    .split('\n')
    .filter((line) => /warn|\(!\)|deprecat|not loaded|falling back/i.test(line))
}

/** Writes docs/reference/api from the doc comments. Installs docs/ if that is missing. */
export function makeApi() {
  ensureFolder(DOCS)
  runQuietly('typedoc', node24, ['docs/.vitepress/api/generate.mjs'])
}

/** Builds the site into `siteFolder`. */
export function buildSite() {
  runQuietly('vitepress', binOf(DOCS, 'vitepress'), ['build', 'docs'])
}

/** Serves the sources with hot reload until the process ends; returns the exit code. */
export function devSite(port) {
  return run(binOf(DOCS, 'vitepress'), ['dev', 'docs', '--host', '127.0.0.1', '--port', port])
}
