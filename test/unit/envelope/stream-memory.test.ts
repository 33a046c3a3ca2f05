import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'

const MIB = 1_048_576
const child = fileURLToPath(new URL('stream-memory.child.ts', import.meta.url))

async function growth(mebibytes: number, flags: readonly string[]): Promise<number> {
  const run = promisify(execFile)
  const { stdout } = await run(process.execPath, [...flags, child, String(mebibytes)])
  const figures = JSON.parse(stdout) as { received: number; start: number; peak: number }
  expect(figures.received).toBe(mebibytes * MIB)
  const grown = (figures.peak - figures.start) / MIB
  console.log(
    `${String(mebibytes)} MiB ${flags.join()}: peak ${grown.toFixed(1)} MiB over the start`,
  )
  return grown
}

// Node's WebCrypto makes a new buffer for every chunk, outside V8's heap, and V8 frees it with its next
// scavenge, which waits for the heap alone: a bare loop of encrypt and decrypt, without any stream,
// grows by 60 MiB too. So garbage is collected while this runs.
it('R5 streams hold at most 40 MiB over the start while 256 MiB go through, garbage aside', async () => {
  expect(await growth(256, ['--expose-gc'])).toBeLessThanOrEqual(40)
  // Printed for the record, and no promise of this code: with a small nursery, and as Node comes.
  await growth(256, ['--max-semi-space-size=1'])
  await growth(256, [])
})
