/** Starts the script as a maintainer would, in an environment without CI. */
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { node24, root, toolEnv } from '../../../tools/lib/folders.mjs'

const SCRIPT = join(root, 'test/live/run.mjs')

/**
 * @param {readonly string[]} args
 * @param {Readonly<Record<string, string>>} env beside that of this process, from which CI is taken
 * @returns {{ kill: (signal: NodeJS.Signals) => void, ended: Promise<{ code: number | null, text: string }> }}
 */
export function startLive(args, env) {
  const { CI: _ci, EDGE_KMS_PROOF: _proof, ...inherited } = /** @type {any} */ (toolEnv())
  const child = spawn(node24, [SCRIPT, ...args], { env: { ...inherited, ...env } })
  let text = ''
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (piece) => (text += piece))
  const ended = new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) => resolve({ code, text }))
  })
  return { kill: (signal) => child.kill(signal), ended }
}

/** @param {readonly string[]} args @param {Readonly<Record<string, string>>} env */
export const runLive = (args, env) => startLive(args, env).ended
