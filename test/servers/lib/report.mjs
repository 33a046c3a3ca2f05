import { keepProof } from '../../../tools/lib/proof.mjs'

/** Counts checks, names the ones that fail, and prints the lane's closing line. `part` names what it keeps for the proof. */
export function createReport(print = console.log, part = 'servers') {
  const counts = { passed: 0, failed: 0, skipped: 0 }
  /** @type {import('../../../tools/lib/proof.mjs').ProofRow[]} */
  const rows = []
  /** @type {Promise<unknown>} */
  let last = Promise.resolve()

  function pass(name) {
    counts.passed++
    rows.push({ name, state: 'passed' })
  }

  function fail(name, reason) {
    counts.failed++
    rows.push({ name, state: 'failed' })
    print(`FAILED ${name}: ${reason}`)
  }

  function skip(name, reason) {
    counts.skipped++
    rows.push({ name, state: 'skipped' })
    print(`skipped ${name}: ${reason}`)
  }

  async function run(name, work) {
    try {
      await work()
      pass(name)
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
    keepProof(part, rows)
    if (counts.passed + counts.failed === 0) fail('this run', 'nothing was checked')
    print(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`)
    return counts.failed === 0 ? 0 : 1
  }

  return { counts, pass, fail, skip, check, settled, close }
}
