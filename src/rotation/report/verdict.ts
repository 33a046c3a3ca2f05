import { failuresOf } from '../counts.ts'
import type { JobRotationResult } from '../result.ts'
import type { RotationCounts } from '../rotation-state.ts'
import type { Figure } from './facts.ts'
import type { ReportParts } from './options.ts'
import { dollars, duration, moment, perSecond, safeVersion, whole } from './shown.ts'

/** Returns how the job ended, or what it will do, and what to do next. */
export function verdictOf({ plan, samples, result }: ReportParts): string {
  if (result !== undefined) return endOf(result)
  const counts = samples.at(-1)?.counts
  if (counts !== undefined)
    return `Running: ${values(counts.done)} rewrapped so far, ${whole(failuresOf(counts))} failed.`
  if (plan === undefined) return 'Census: this is what is stored. Nothing was changed.'
  const nothing = nothingFound(plan.counts)
  if (nothing !== undefined) return `Plan: ${nothing}`
  if (plan.counts.done === 0) return 'Plan: every value that can be rewrapped is already current.'
  return `Plan: ${values(plan.counts.done)} to rewrap. Nothing was changed, and no data key was opened: dryRun() finds those that do not open.`
}

function endOf(result: JobRotationResult): string {
  const { phase, counts, dryRun } = result
  const failed = failuresOf(counts)
  if (phase === 'stopped')
    return `${dryRun ? 'Dry run stopped' : 'Stopped'}: ${values(failed)} failed, more than the threshold allows. Mend the cause, then call resume() and run(): the job begins again and tries them again. resume({ acceptFailures: true }) goes on without them.`
  const nothing = nothingFound(counts)
  if (dryRun)
    return `Dry run: ${nothing ?? `${values(counts.done)} can be rewrapped, ${whole(failed)} would fail.`} Nothing was written.`
  if (phase === 'paused')
    return `Paused after ${values(counts.done)}. Call resume() and run() to continue.`
  if (phase === 'running')
    return `Not finished: ${values(counts.done)} rewrapped. Call run() to continue.`
  if (nothing !== undefined) return `Finished: ${nothing}`
  if (failed > 0)
    return `Finished: ${values(counts.done)} rewrapped, but ${whole(failed)} failed and may still need the old version. Mend the cause and call run() again.`
  if (counts.done === 0 && counts.current > 0)
    return `Finished: 0 values rewrapped, because ${values(counts.current)} ${counts.current === 1 ? 'was' : 'were'} already current. Check that the new version is configured if you expected more.`
  return `Finished: ${values(counts.done)} rewrapped, 0 failed.`
}

/** Returns what to check if the sources hold no envelope: that is a wrong table or column more often than success. */
function nothingFound(counts: RotationCounts): string | undefined {
  if (counts.records === 0) return 'the sources hold no records. Check their names.'
  const envelopes = counts.done + counts.current + counts.reference + counts.outage
  if (envelopes + counts['lost-race'] + failuresOf(counts) > 0) return undefined
  return `none of ${whole(counts.records)} records holds an envelope. Check the tables and columns of the sources.`
}

function values(count: number): string {
  return `${whole(count)} ${count === 1 ? 'value' : 'values'}`
}

/** Whether a reader has to do something. */
export function isBad({ plan, samples, result }: ReportParts): boolean {
  const counts = result?.counts ?? samples.at(-1)?.counts ?? plan?.counts
  if (counts === undefined) return false
  const isEmpty = samples.length === 0 && nothingFound(counts) !== undefined
  return result?.phase === 'stopped' || failuresOf(counts) > 0 || isEmpty
}

/** Returns the numbers at the top: what happened beside what was planned. */
export function figuresOf(parts: ReportParts): Figure[] {
  const { plan, before, samples, result } = parts
  const last = samples.at(-1)
  const counts = result?.counts ?? last?.counts
  const tookMs = result?.durationMs ?? last?.atMs
  const startMs = result?.startedAtMs ?? plan?.atMs ?? before?.atMs
  return [
    ...(counts === undefined ? [] : madeOf(counts, plan?.kmsCalls)),
    ...(tookMs === undefined ? [] : [{ name: 'Time', value: timeOf(tookMs, plan?.timeMs) }]),
    ...(plan === undefined ? [] : plannedOf(plan, counts === undefined)),
    ...(before === undefined || counts !== undefined || plan !== undefined
      ? []
      : [{ name: 'Records', value: whole(before.counts.records) }]),
    ...(result === undefined || result.newVersion.length === 0
      ? []
      : [
          {
            name: 'Current version',
            value: result.newVersion.slice(0, 5).map(safeVersion).join(', '),
          },
        ]),
    ...(startMs === undefined
      ? []
      : [{ name: result ? 'Started' : 'Taken', value: moment(startMs) }]),
  ]
}

function madeOf(counts: RotationCounts, plannedCalls: number | undefined): Figure[] {
  const planned = plannedCalls === undefined ? '' : ` of ${whole(plannedCalls)} planned`
  return [
    { name: 'Records', value: whole(counts.records) },
    { name: 'Rewrapped', value: whole(counts.done) },
    { name: 'Failed', value: whole(failuresOf(counts)) },
    { name: 'KMS requests', value: `${whole(counts.kmsCalls)}${planned}` },
  ]
}

function timeOf(tookMs: number, plannedMs: number | undefined): string {
  return `${duration(tookMs)}${plannedMs === undefined ? '' : ` (planned ${duration(plannedMs)})`}`
}

function plannedOf(plan: NonNullable<ReportParts['plan']>, isAlone: boolean): Figure[] {
  const cost = { name: 'Cost at list prices', value: dollars(plan.usd) }
  const rate = { name: 'Rate limit', value: perSecond(plan.requestsPerSecond) }
  if (!isAlone) return [cost, rate]
  return [
    { name: 'Records', value: whole(plan.records) },
    { name: 'To rewrap', value: whole(plan.counts.done) },
    { name: 'Data keys', value: whole(plan.dataKeys) },
    { name: 'KMS requests', value: whole(plan.kmsCalls) },
    cost,
    { name: 'Time', value: duration(plan.timeMs) },
    rate,
  ]
}
