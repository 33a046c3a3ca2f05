/** The part of a runner that is the same everywhere: runs the cases and words the result. */

/** Runs the cases one after the other. Returns plain data, so that it can cross RPC. */
export async function runCases(cases) {
  const table = []
  for (const { name, run, skip } of cases) {
    if (skip !== undefined) {
      table.push({ name, state: 'skipped', text: skip })
      continue
    }
    try {
      await run()
      table.push({ name, state: 'passed', text: '' })
    } catch (error) {
      table.push({ name, state: 'failed', text: describe(error) })
    }
  }
  return table
}

/** One line: what was thrown, its code, and the line of the suite that it came from. */
function describe(error) {
  if (!(error instanceof Error)) return String(error)
  const code = 'code' in error && typeof error.code === 'string' ? ` [${error.code}]` : ''
  const place = /\w+\.mjs:\d+:\d+/.exec(error.stack ?? '')?.[0]
  const where = place === undefined ? '' : ` at ${place}`
  return `${error.name}${code}: ${error.message}${where}`.replaceAll('\n', ' ')
}

/** Prints the failing and the skipped cases and the closing line; returns the exit code. */
export function printTable(runtime, table) {
  const count = (state) => table.filter((row) => row.state === state).length
  for (const { name, state, text } of table) {
    if (state === 'failed') console.log(`${runtime}: FAILED ${name}: ${text}`)
    if (state === 'skipped') console.log(`${runtime}: skipped ${name}: ${text}`)
  }
  // A suite without cases proves nothing.
  const failed = table.length === 0 ? 1 : count('failed')
  const skipped = count('skipped') === 0 ? '' : `, ${count('skipped')} skipped`
  console.log(`${runtime}: ${count('passed')} passed, ${failed} failed${skipped}`)
  return failed === 0 ? 0 : 1
}
