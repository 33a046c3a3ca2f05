/** A rotation on the real server whose processes are killed at random points. */
import { killRotations } from '../../support/rotation/killed/kill-rotations.mjs'

const kills = Number(process.env.EDGE_KMS_KILLS ?? 30)

export async function checkKills(check, port) {
  const name = `R28 a rotation is killed at ${kills} random points: 0 lost, 0 stale`
  await check(name, async () => {
    const startMs = performance.now()
    const { jobs } = await killRotations('postgres', String(port), kills)
    const seconds = ((performance.now() - startMs) / 1_000).toFixed(1)
    console.log(`postgres: ${kills} rotators killed in ${jobs} jobs, ${seconds} s`)
  })
}
