/**
 * Tool folders: what the root should not carry (a linter, other runtimes) lives in `tools/<name>`
 * with a lock file of its own and is installed by the first command that needs it.
 */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = fileURLToPath(new URL('../..', import.meta.url))
const rootBin = join(root, 'node_modules', '.bin')

/** Node 24 whatever started us: vitest, wrangler and eslint refuse the system's older one. */
export const node24 = existsSync(join(rootBin, 'node')) ? join(rootBin, 'node') : process.execPath

/** The environment for a child: `#!/usr/bin/env node` finds Node 24, and no tool phones home. */
export function toolEnv() {
  return {
    ...process.env,
    PATH: `${rootBin}:${process.env['PATH'] ?? ''}`,
    WRANGLER_SEND_METRICS: 'false',
    WRANGLER_LOG_PATH: join(tmpdir(), 'edge-kms-wrangler-logs'),
    DENO_NO_UPDATE_CHECK: '1',
    DO_NOT_TRACK: '1',
  }
}

const stampOf = (folder) => join(folder, 'node_modules', '.edge-kms-lock')

function isInstalled(folder) {
  const lock = readFileSync(join(folder, 'package-lock.json'))
  const digest = createHash('sha256').update(lock).digest('hex')
  const stamp = stampOf(folder)
  return { digest, fresh: existsSync(stamp) && readFileSync(stamp, 'utf8') === digest }
}

/** Two commands may want the same folder at once; the second waits for the first one's install. */
function withLock(folder, work) {
  const lock = join(folder, '.install-lock')
  for (;;) {
    try {
      mkdirSync(lock)
      break
    } catch {
      const age = Date.now() - (statSync(lock, { throwIfNoEntry: false })?.mtimeMs ?? Date.now())
      if (age > 300_000) rmSync(lock, { recursive: true, force: true })
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200)
    }
  }
  try {
    work()
  } finally {
    rmSync(lock, { recursive: true, force: true })
  }
}

/**
 * Installs `tools/<name>` when its lock file differs from what is installed.
 *
 * @returns the folder's absolute path
 */
export function ensureFolder(name) {
  const folder = join(root, 'tools', name)
  if (isInstalled(folder).fresh) return folder
  withLock(folder, () => {
    const { digest, fresh } = isInstalled(folder)
    if (fresh) return
    process.stderr.write(`installing tools/${name}\n`)
    // The system's npm: a Node 24 without an npm of its own must not run it.
    const done = spawnSync('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
      cwd: folder,
      stdio: ['ignore', 'ignore', 'inherit'],
    })
    if (done.status !== 0) throw new Error(`npm ci failed in tools/${name}`)
    writeFileSync(stampOf(folder), digest)
  })
  return folder
}

/** The path of a command that a tool folder provides. */
export function binOf(name, bin) {
  const path = join(ensureFolder(name), 'node_modules', '.bin', bin)
  if (!existsSync(path)) throw new Error(`tools/${name} has no command ${bin}`)
  return path
}

/** Runs a command with the root as its folder; returns its exit code. */
export function run(command, args, options = {}) {
  const done = spawnSync(command, args, {
    cwd: root,
    env: toolEnv(),
    stdio: ['ignore', 'inherit', 'inherit'],
    ...options,
  })
  if (done.error) throw done.error
  return done.status ?? 1
}
