import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'

/** The bound that docs/guides/observability.md states for 10,000 operations that wait. */
const MOST_MIB = 128

const child = fileURLToPath(new URL('audit-load.child.ts', import.meta.url))

// In a process of its own: the memory of other tests must not count.
it.each([
  ['bare', 'open'],
  ['bare', 'closed'],
  ['highSecurity', 'closed'],
])(
  '10,000 operations at once, %s, %s: all succeed, all are recorded and proven, memory stays bounded',
  async (stack, mode) => {
    const run = promisify(execFile)
    const { stdout } = await run(process.execPath, ['--expose-gc', child, stack, mode])
    const { peakMiB, ...seen } = JSON.parse(stdout) as { readonly peakMiB: number }
    expect(seen).toEqual({
      succeeded: 10_000,
      records: 10_000,
      losses: 0,
      ok: true,
      problems: [],
      uncovered: [],
      lost: 0,
    })
    console.log(`${stack} ${mode}: peak ${peakMiB.toFixed(0)} MiB over the start`)
    expect(peakMiB).toBeLessThanOrEqual(MOST_MIB)
  },
)
