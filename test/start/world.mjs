import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { curlFolder } from './curl.mjs'
import { freePort, startGateway, stateFolder } from './gateway-process.mjs'

/** In every plaintext of this run; no answer but a plaintext's own may hold it. */
export const MARKER = 'CANARY-4111-1111-1111-1111'

/**
 * @typedef {ReturnType<typeof createWorld>} World
 * @typedef {ReturnType<World['start']>} Gateway
 * @typedef {ReturnType<typeof import('../servers/lib/report.mjs').createReport>} Report
 */

/** Everything that a run starts and makes, so that all of it can be stopped, removed and searched. */
export function createWorld() {
  const folder = curlFolder()
  /** @type {ReturnType<typeof startGateway>[]} */
  const processes = []
  /** @type {(() => unknown)[]} */
  const undo = []
  const secrets = new Set([MARKER])

  function state() {
    const made = stateFolder()
    undo.push(made.remove)
    return { path: made.path, keyFile: join(made.path, 'local-key.json') }
  }

  /** @param {string} keyFile */
  function keyOf(keyFile) {
    const key = String(JSON.parse(readFileSync(keyFile, 'utf8')).keys[1])
    secrets.add(key)
    secrets.add(Buffer.from(key, 'base64').toString('hex'))
    return key
  }

  return {
    ...folder,
    state,
    keyOf,
    /** @param {string} secret */
    keepSecret: (secret) => void secrets.add(secret),
    /** @param {() => unknown} work */
    atTheEnd: (work) => void undo.push(work),

    /**
     * `npm start` on a free port, with a key file of its own unless one is given.
     * @param {Record<string, string>} [env]
     * @param {ReturnType<typeof state>} [files]
     */
    start(env = {}, files = state()) {
      const begun = freePort().then((port) => {
        const gateway = startGateway({
          EDGE_KMS_STATE_DIR: files.path,
          PORT: String(port),
          HOST: '',
          ...env,
        })
        processes.push(gateway)
        return gateway
      })
      return {
        files,
        ready: async () => {
          const gateway = await begun
          const url = await gateway.ready
          if (existsSync(files.keyFile)) keyOf(files.keyFile)
          return { url, output: gateway.output(), pid: gateway.workerdPid() }
        },
        /** For a start that must not succeed. */
        refusal: async () => {
          const gateway = await begun
          await Promise.race([gateway.closed, gateway.ready.catch(() => undefined)])
          return { exitCode: gateway.exitCode(), output: gateway.output() }
        },
        /** @param {NodeJS.Signals} [signal] */
        stop: async (signal) => (await begun).stop(signal),
      }
    },

    demandNoSecrets() {
      const texts = [...folder.seen, ...processes.map((gateway) => gateway.output())]
      assert.ok(texts.length > 50, 'too little was seen for this to mean anything')
      assert.ok(secrets.size >= 4, 'no key was looked for')
      for (const text of texts) {
        const found = [...secrets].filter((secret) => text.includes(secret))
        assert.deepEqual(found.length, 0, `a secret is in: ${text.slice(0, 200)}`)
      }
    },

    async close() {
      for (const gateway of processes) await gateway.stop()
      for (const work of undo.reverse()) await work()
      folder.remove()
    },
  }
}

/** Waits until a process has gone, for as long as it takes. @param {number} pid */
export async function gone(pid) {
  while (existsSync(`/proc/${pid}`)) await sleep(50)
}

/** The problem that an answer must be: whole, typed, and without anything else. */
export function demandProblem(answer, status, code) {
  assert.equal(answer.exitCode, 0, 'curl itself failed')
  assert.equal(answer.status, status, answer.body.toString('latin1').slice(0, 500))
  assert.match(answer.head, /^content-type: application\/problem\+json\r$/im)
  assert.match(answer.head, /^cache-control: no-store\r$/im)
  const problem = JSON.parse(answer.body.toString())
  assert.deepEqual([problem.code, problem.status], [code, status])
  return problem
}
