import { demandMethods } from '../checks/index.ts'
import { failuresOf } from './counts.ts'
import type { RotationProgress } from './progress.ts'

/** A stream for progress, such as `process.stderr`. */
export interface TerminalStream {
  write(text: string): unknown
  /** Whether it is a terminal, where one line is overwritten. Elsewhere each line stays. */
  readonly isTTY?: boolean
  readonly columns?: number
}

const BAR = 24
/** Without a terminal, a line is written so often at most, milliseconds of the run. */
const LINE_MS = 10_000

/**
 * Returns a function that shows progress on a stream: with a terminal one line with a bar, the rate and the time that
 * is left; else a line every ten seconds.
 *
 * @throws KmsError `ERR_KMS_CONFIG` for a stream without `write`
 * @example
 * ```ts
 * import { type KeyRotationManager, terminalProgress } from 'edge-kms/rotation'
 *
 * export async function runOnTerminal(manager: KeyRotationManager) {
 *   const show = terminalProgress(process.stderr)
 *   for await (const progress of manager.run({ plan: await manager.plan() })) show(progress)
 * }
 * ```
 */
export function terminalProgress(stream: TerminalStream): (progress: RotationProgress) => void {
  demandMethods('stream', stream, ['write'])
  let shownMs = -Infinity
  return (progress) => {
    const isEnd = progress.phase !== 'running'
    const line = lineOf(progress)
    if (stream.isTTY === true) {
      // One column is left free: a terminal that is full to its edge breaks the line.
      const width = Math.max(20, (Number(stream.columns) || 80) - 1)
      write(stream, `\r\u001b[2K${line.slice(0, width)}${isEnd ? '\n' : ''}`)
      return
    }
    if (!isEnd && progress.elapsedMs - shownMs < LINE_MS) return
    shownMs = progress.elapsedMs
    write(stream, `${line}\n`)
  }
}

/** Writes a text. A stream that is closed must not end a rotation. */
function write(stream: TerminalStream, text: string): void {
  try {
    stream.write(text)
  } catch {
    // Nobody is looking.
  }
}

function lineOf(progress: RotationProgress): string {
  const { job, phase, share, etaMs, recordsPerSecond, counts, outage, source, sweep } = progress
  const failures = failuresOf(counts)
  const parts = [
    ...(share === undefined ? [] : [`${barOf(share)} ${String(Math.floor(share * 100))} %`]),
    `${job} ${phase === 'running' && source !== undefined ? `${source} #${String(sweep)}` : phase}`,
    `${String(counts.done)} rewrapped`,
    ...(failures > 0 ? [`${String(failures)} failed`] : []),
    `${String(Math.round(recordsPerSecond))} records/s`,
    ...(etaMs === undefined || phase !== 'running' ? [] : [`${durationOf(etaMs)} left`]),
    ...(outage === undefined ? [] : [`${outage.from} does not answer: ${outage.code}`]),
  ]
  return parts.join('  ')
}

function barOf(share: number): string {
  const full = Math.round(Math.min(1, Math.max(0, share)) * BAR)
  return `[${'#'.repeat(full)}${'-'.repeat(BAR - full)}]`
}

/** Returns a duration in the two largest units that it has, e.g. `2 h 5 min`. */
export function durationOf(ms: number): string {
  const seconds = Math.ceil(ms / 1_000)
  if (seconds < 60) return `${String(seconds)} s`
  const minutes = Math.floor(seconds / 60)
  if (minutes < 60) return `${String(minutes)} min ${String(seconds % 60)} s`
  const hours = Math.floor(minutes / 60)
  return `${String(hours)} h ${String(minutes % 60)} min`
}
