/** Bundles a measurement, runs it as a process of its own and keeps its report. */
import { spawn, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { build } from 'esbuild'
import { node24, root, toolEnv } from '../../tools/lib/folders.mjs'

/**
 * Returns what the program prints, which is one JSON value.
 *
 * @param {string} entry - below `bench`, e.g. `audit/process.ts`
 * @param {readonly string[]} [args]
 */
export async function measure(entry, args = []) {
  const scratch = mkdtempSync(join(tmpdir(), 'edge-kms-bench-'))
  try {
    const outfile = await bundle(entry, join(scratch, 'process.mjs'))
    const done = spawnSync(node24, [outfile, ...args], {
      encoding: 'utf8',
      env: toolEnv(),
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    if (done.status !== 0) throw new Error(`the measurement ended with ${done.status}`)
    return JSON.parse(done.stdout)
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
}

/** Bundles a file below `bench`, and returns where the bundle is. */
export async function bundle(entry, outfile) {
  await build({
    entryPoints: [join(root, 'bench', entry)],
    outfile,
    bundle: true,
    format: 'esm',
    platform: 'neutral',
    target: 'es2022',
    logLevel: 'error',
  })
  return outfile
}

/**
 * Runs a program, and passes on each line that it prints with the id of its process.
 *
 * @param {string} command
 * @param {readonly string[]} args
 * @param {(line: string, pid: number | undefined) => void} onLine
 * @param {string} [cwd]
 */
export async function eachLine(command, args, onLine, cwd = root) {
  const running = spawn(command, args, {
    cwd,
    env: toolEnv(),
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const closed = new Promise((resolve, reject) => {
    running.on('error', reject)
    running.on('close', resolve)
  })
  for await (const line of createInterface({ input: running.stdout })) onLine(line, running.pid)
  const code = await closed
  if (code !== 0) throw new Error(`${command} ended with ${code}`)
}

/** Writes a report to `bench/results`, with its time. */
export function keepReport(name, report) {
  const folder = join(root, 'bench', 'results')
  mkdirSync(folder, { recursive: true })
  const text = JSON.stringify({ at: new Date().toISOString(), ...report }, null, 2)
  writeFileSync(join(folder, `${name}.json`), `${text}\n`)
}
