/** PostgreSQL, and a fake of AWS KMS that checks signatures, for the processes of the example. */
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { createFakeAws } from '../../../adapters/fakes/index.ts'
import { kms } from '../../unit/fakes/aws/client.ts'
import { openFront } from '../../../tools/servers/front.mjs'
import { runScript, startServer } from './server.mjs'

/** @typedef {Awaited<ReturnType<typeof openWorld>>} World */

/**
 * @param {string} folder of the example
 * @param {string} database its URL
 */
export async function openWorld(folder, database) {
  const { Pool } = createRequire(join(folder, 'package.json'))('pg')
  const pool = new Pool({ connectionString: database })
  const aws = createFakeAws()
  const keyId = aws.createKey().arn
  const front = await openFront((request) => aws.fetch(request))
  const awsEnv = {
    DATABASE_URL: database,
    EDGE_KMS_AWS_KEY_ID: keyId,
    EDGE_KMS_AWS_ENDPOINT: front.url,
    AWS_ACCESS_KEY_ID: aws.credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: aws.credentials.secretAccessKey,
  }

  return {
    aws,
    /** @param {'DisableKey' | 'EnableKey'} operation */
    switchKey: async (operation) => {
      const { status, text } = await kms(aws, operation, { KeyId: keyId })
      if (status !== 200) throw new Error(text)
    },
    keyId,
    awsEnv,
    database,
    /** @param {string} sql  @param {unknown[]} [values]  @returns {Promise<any[]>} */
    query: async (sql, values = []) => (await pool.query(sql, values)).rows,
    /**
     * @param {import('./server.mjs').Runtime} runtime
     * @param {string} script
     * @param {Record<string, string>} [env]
     */
    run: (runtime, script, env = awsEnv) => runScript(runtime, folder, script, env),
    /**
     * Starts a cold process, does the work with it, and stops it.
     *
     * @param {import('./server.mjs').Runtime} runtime
     * @param {(server: import('./server.mjs').Server) => unknown} work
     * @param {Record<string, string>} [env]
     */
    session: async (runtime, work, env = awsEnv) => {
      const server = await startServer(runtime, folder, env)
      try {
        await work(server)
      } finally {
        const code = await server.stop()
        if (code !== 0) throw new Error(`main.ts ended with ${code}: ${server.output()}`)
      }
    },
    async close() {
      await pool.end()
      await front.close()
    },
  }
}
