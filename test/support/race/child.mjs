/**
 * One process of a race or a crash. Runs on Node, Deno and Bun; a file beside each backend's
 * tests makes the store and calls it.
 */
import { writeSync } from 'node:fs'
import process from 'node:process'
import { setTimeout as sleep } from 'node:timers/promises'

// At once and whole: a process that is killed says what it said before.
const say = (line) => writeSync(1, `${JSON.stringify(line)}\n`)

/**
 * Writes the chain until its end; says every link that it won, how many it lost, and how often the
 * store was busy.
 *
 * @param {{ step: (end: number) => Promise<{ tried?: string, won?: boolean }>, prepare: () => Promise<unknown> }} actor
 */
async function race({ step, prepare }, end) {
  let [lost, busy] = [0, 0]
  await prepare() // connects, so that neither begins late
  say({ ready: true })
  await new Promise((go) => process.stdin.once('data', go))
  for (;;) {
    let tried, won
    try {
      ;({ tried, won } = await step(end))
    } catch (error) {
      // A database that is busy with the other one: nothing was written, or a link will be missing.
      if (error.retryable !== true) throw error
      busy++
      continue
    }
    if (tried === undefined) break
    if (won === true) say({ won: tried })
    if (won === false) lost++
  }
  say({ lost, busy })
}

/** Starts one write and dies before it hears of it, sooner or later. */
async function crash(prepare, delayMs) {
  const { seen, tried, write } = await prepare()
  say({ seen, tried })
  void write().catch(() => undefined)
  if (delayMs > 0) await sleep(delayMs)
  process.kill(process.pid, 'SIGKILL')
}

/**
 * @param {{ step: (end: number) => Promise<object>,
 *   prepare: () => Promise<{ seen: string, tried: string, write: () => Promise<unknown> }> }} actor
 * @param {readonly string[]} args `race <end>` or `crash <delayMs>`
 */
export async function act({ step, prepare }, [mode, number]) {
  if (mode === 'race') await race({ step, prepare }, Number(number))
  else await crash(prepare, Number(number))
  process.exit(0)
}
