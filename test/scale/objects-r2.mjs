/** Large objects through `EncryptedBucket` to R2 in miniflare, and the memory of workerd, R2 included. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Miniflare } from 'miniflare'
import { workerModule } from '../workerd/worker-module.ts'

/**
 * Puts an object and reads it back, in a workerd of its own.
 *
 * @param {number} mib
 * @param {'known' | 'unknown' | 'plain' | 'plain-parts'} way whether its length is announced; or without the library at all
 */
export async function largeOverR2(mib, way) {
  const folder = mkdtempSync(join(tmpdir(), 'edge-kms-r2-'))
  const before = new Set(workerds())
  const miniflare = new Miniflare({
    modules: [await workerModule('./objects-large.worker.ts')],
    compatibilityDate: '2026-07-01',
    r2Buckets: ['FILES'],
    r2Persist: folder,
  })
  try {
    await miniflare.ready
    const pid = workerds().find((one) => !before.has(one))
    if (pid === undefined) throw new Error('workerd is not running')
    const query = new URLSearchParams({ mib: String(mib), way })
    const answer = await miniflare.dispatchFetch(`http://localhost/?${query}`)
    const text = await answer.text()
    if (!answer.ok) throw new Error(text)
    return { ...JSON.parse(text), peakMiB: peakMiB(pid) }
  } finally {
    await miniflare.dispose()
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 })
  }
}

/** The children of this process that are workerd. */
function workerds() {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((name) => {
      try {
        const status = readFileSync(`/proc/${name}/status`, 'utf8')
        return (
          /^Name:\s+workerd$/m.test(status) &&
          Number(/^PPid:\s+(\d+)$/m.exec(status)?.[1]) === process.pid
        )
      } catch {
        return false // It has ended.
      }
    })
    .map(Number)
}

function peakMiB(pid) {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  return Number(/^VmHWM:\s+(\d+) kB/m.exec(status)?.[1]) / 1_024
}
