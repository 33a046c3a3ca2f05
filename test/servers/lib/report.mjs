/** Counts checks, names the ones that fail, and prints the lane's closing line. */
export function createReport(print = console.log) {
  const counts = { passed: 0, failed: 0, skipped: 0 }
  /** @type {Promise<unknown>} */
  let last = Promise.resolve()

  function pass() {
    counts.passed++
  }

  function fail(name, reason) {
    counts.failed++
    print(`FAILED ${name}: ${reason}`)
  }

  function skip(name, reason) {
    counts.skipped++
    print(`skipped ${name}: ${reason}`)
  }

  async function run(name, work) {
    try {
      await work()
      pass()
    } catch (error) {
      fail(name, error?.stack ?? String(error))
    }
  }

  /**
   * Runs one named check, after those before it; a throw is its failure. Never rejects.
   *
   * @param {string} name
   * @param {() => unknown} work
   */
  function check(name, work) {
    const done = last.then(() => run(name, work))
    last = done
    return done
  }

  /** Waits for every check that was begun, awaited or not. */
  const settled = () => last

  const close = () => {
    if (counts.passed + counts.failed === 0) fail('this run', 'nothing was checked')
    print(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`)
    return counts.failed === 0 ? 0 : 1
  }

  return { counts, pass, fail, skip, check, settled, close }
}
