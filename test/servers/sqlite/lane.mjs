/** SQLite of Node, which needs no server: a rotation whose processes are killed. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { killRotations } from '../../support/rotation/killed/kill-rotations.mjs'

const kills = Number(process.env.EDGE_KMS_KILLS ?? 30)

/** @param {{ report: ReturnType<typeof import('../lib/report.mjs').createReport> }} options */
export async function runLane({ report }) {
  const folder = mkdtempSync(join(tmpdir(), 'edge-kms-killed-'))
  const name = `R28 sqlite: a rotation is killed at ${kills} random points: 0 lost, 0 stale`
  await report.check(name, async () => {
    const startMs = performance.now()
    const { jobs } = await killRotations('sqlite', join(folder, 'kept.db'), kills)
    const seconds = ((performance.now() - startMs) / 1_000).toFixed(1)
    console.log(`sqlite: ${kills} rotators killed in ${jobs} jobs, ${seconds} s`)
  })
  rmSync(folder, { recursive: true, force: true })
}
