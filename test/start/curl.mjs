// The real curl, and everything that was ever answered to it.
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** The two maps of every call that does not say otherwise. */
export const MAPS = {
  'Edge-Kms-Context': '{"tenant":"acme"}',
  'Edge-Kms-Aad': '{"file":"README.md"}',
}

/**
 * @typedef {object} Call
 * @property {Uint8Array} [body] none sends no body
 * @property {Record<string, string>} [headers]
 * @property {string} [method] `POST` by default
 * @property {readonly string[]} [args] more of curl's own arguments
 * @property {boolean} [opens] the answer is a plaintext, and may say so
 */

/** A folder to run curl in; `seen` holds every answer but those that are plaintext by right. */
export function curlFolder() {
  const path = mkdtempSync(join(tmpdir(), 'edge-kms-curl-'))
  /** @type {string[]} */
  const seen = []

  /** @param {string} command @param {readonly string[]} args */
  function run(command, args) {
    const child = spawn(command, args, { cwd: path, stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text) => (output += text))
    }
    return new Promise((resolve, reject) => {
      child.once('error', reject)
      child.once('close', (exitCode) => {
        seen.push(output)
        resolve({ exitCode, output })
      })
    })
  }

  return {
    seen,
    /** A line as a user pastes it. @param {string} line */
    paste: (line) => run('sh', ['-c', line]),
    /** @param {string} name @param {Uint8Array | string} content */
    write: (name, content) => writeFileSync(join(path, name), content),
    /** @param {string} name */
    read: (name) => readFileSync(join(path, name)),
    remove: () => rmSync(path, { recursive: true, force: true }),

    /** @param {string} url @param {Call} [call] */
    async curl(url, { body, headers = MAPS, method = 'POST', args = [], opens = false } = {}) {
      for (const name of ['answer', 'head']) writeFileSync(join(path, name), '')
      const given = Object.entries(headers).flatMap(([name, value]) => ['-H', `${name}: ${value}`])
      if (body !== undefined) writeFileSync(join(path, 'body'), body)
      const send = body === undefined ? [] : ['-T', 'body']
      const out = ['-o', 'answer', '-D', 'head', '-w', '%{http_code}']
      const all = ['-sS', '-X', method, ...given, ...send, ...out, ...args, url]
      const { exitCode, output } = await run('curl', all)
      const answer = readFileSync(join(path, 'answer'))
      const head = readFileSync(join(path, 'head'), 'latin1')
      seen.push(head, ...(opens ? [] : [answer.toString('latin1')]))
      return { exitCode, status: Number(/(\d{3})$/.exec(output)?.[1]), head, body: answer }
    },
  }
}

/** @typedef {Awaited<ReturnType<ReturnType<typeof curlFolder>['curl']>>} CurlAnswer */

/** {@link MAPS}, or others. @param {{ context?: string, aad?: string }} [maps] */
export function mapHeaders({ context, aad } = {}) {
  return {
    'Edge-Kms-Context': context ?? MAPS['Edge-Kms-Context'],
    'Edge-Kms-Aad': aad ?? MAPS['Edge-Kms-Aad'],
  }
}
