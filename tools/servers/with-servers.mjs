/** `withServers(['moto'], async ({ moto }) => …)`: real servers for the time of one callback. */
import { ensureInstalled } from './cache.mjs'
import { MissingError } from './missing.mjs'
import { recipes } from './recipes.mjs'
import { startServer } from './start.mjs'

/**
 * Installs (once per machine) and starts each server, calls `work`, and stops them all.
 *
 * A server that this machine cannot have is left out: `work` gets its reason as
 * `missing: [{ name, reason }]`. Under `CI=true` it is an error.
 *
 * @template T
 * @param {readonly string[]} names
 * @param {(servers: Record<string, Awaited<ReturnType<typeof startServer>>>,
 *   missing: readonly { name: string, reason: string }[]) => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function withServers(names, work) {
  const wanted = names.map((name) => {
    const recipe = recipes.get(name)
    if (recipe === undefined) throw new TypeError(`unknown server: ${name}`)
    return recipe
  })
  /** @type {Record<string, Awaited<ReturnType<typeof startServer>>>} */
  const servers = {}
  const missing = []
  try {
    for (const recipe of wanted) {
      try {
        servers[recipe.name] = await startServer(recipe, await ensureInstalled(recipe))
      } catch (error) {
        if (!(error instanceof MissingError) || process.env['CI'] === 'true') throw error
        missing.push({ name: recipe.name, reason: error.message })
      }
    }
    return await work(servers, missing)
  } finally {
    await Promise.all(Object.values(servers).map((server) => server.stop()))
  }
}
