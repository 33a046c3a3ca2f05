/** At most so many runtimes at once: most of a start is waiting, and a gate has few cores. */
const AT_ONCE = 3

/**
 * Calls `work` for every name, a few at a time.
 *
 * @param {readonly string[]} names
 * @param {(name: string) => Promise<void>} work never rejects
 */
export async function inLanes(names, work) {
  const queue = [...names]
  const lane = async () => {
    for (let name = queue.shift(); name !== undefined; name = queue.shift()) await work(name)
  }
  await Promise.all(Array.from({ length: AT_ONCE }, lane))
}
