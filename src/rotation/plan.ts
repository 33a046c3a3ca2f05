import { wrongNumber } from '../checks/index.ts'
import { Forecast } from './forecast.ts'
import { callOptions } from './manager-calls.ts'
import { costsOf } from './metered-kms.ts'
import type { RecordSource } from './record-source.ts'
import { stepOver } from './rotation-step.ts'
import type { RotationCounts } from './rotation-state.ts'
import { newRotationState } from './state.ts'
import { StepTools } from './step-tools.ts'
import type { StepSettings } from './step-options.ts'
import { termsOf } from './vendor-terms.ts'

/** Times that a plan cannot know: how long one call takes. */
export interface PlanOptions {
  /** Duration of one request to the KMS, in milliseconds; by default that of asking for the current version. */
  readonly kmsMs?: number
  /** Duration of one swap of a page, in milliseconds; by default that of reading a page. */
  readonly swapMs?: number
  readonly signal?: AbortSignal | undefined
}

/** The forecast cost of a job. Live writers and other processes change it. */
export interface RotationPlan {
  readonly atMs: number
  readonly records: number
  /** Counts of the stored values: `done` are the values that the job will rewrap. */
  readonly counts: RotationCounts
  /** Distinct data keys that are rewrapped. */
  readonly dataKeys: number
  /** Requests to the KMS: exact for one process, without retries. */
  readonly kmsCalls: number
  readonly requests: readonly PlannedRequests[]
  /** US dollars at the vendors' list prices, without free tiers. */
  readonly usd: number
  /** The rate limit of the job, in requests each second; Infinity without a limit. */
  readonly requestsPerSecond: number
  readonly timeMs: number
  /** How long reading all records once takes. */
  readonly readMs: number
  /** How often every record is read. */
  readonly sweeps: number
}

/** Requests to one vendor. */
export interface PlannedRequests {
  readonly provider: string
  readonly requests: number
  readonly usd: number
}

/** Returns a source that adds up how long its pages take. */
function timed(source: RecordSource, now: () => number, add: (ms: number) => void): RecordSource {
  const page: RecordSource['page'] = async (...given) => {
    const from = now()
    const answer = await source.page(...given)
    add(now() - from)
    return answer
  }
  if (source.kind === 'objects')
    return {
      name: source.name,
      kind: source.kind,
      page,
      rewrap: (...given) => source.rewrap(...given),
    }
  const read: typeof source.read = (...given) => source.read(...given)
  return {
    name: source.name,
    kind: source.kind,
    page,
    read,
    swap: (...given) => source.swap(...given),
  }
}

/**
 * Walks all sources without a change, and without a call on a data key, and returns what a job will cost.
 *
 * @throws KmsError the error of a source or KMS that does not answer
 */
export async function planRotation(
  settings: StepSettings,
  options: PlanOptions,
): Promise<RotationPlan> {
  const { kmsMs, swapMs, signal } = callOptions(options, 'kmsMs', 'swapMs')
  for (const [name, ms] of Object.entries({ kmsMs, swapMs }))
    if (ms !== undefined && !(Number.isFinite(ms) && ms >= 0))
      throw wrongNumber(name, 'a number of milliseconds from 0', ms)
  const now = (): number => settings.runtime.now()
  const atMs = now()
  let readMs = 0
  const sources = settings.sources.map((source) => timed(source, now, (ms) => (readMs += ms)))
  const forecast = new Forecast(settings)
  const threshold = { share: 1, least: Infinity }
  const quiet = { ...settings, sources, failures: undefined, fingerprints: undefined, threshold }
  let pageForecast = forecast
  const tools = new StepTools(quiet, true, () => (pageForecast = new Forecast(settings)))
  const asked = now()
  if (!tools.keks.byContext) await tools.keks.of(undefined, signal)
  const callMs = kmsMs ?? now() - asked
  const step = stepOver(tools)
  let state = newRotationState({ job: 'plan', sources: tools.names, atMs })
  const pages: { readonly dataKeys: number; readonly requests: number; readonly swaps: boolean }[] =
    []
  while (state.phase === 'running') {
    const result = await step(state, { records: settings.pageSize, signal })
    if (result.outage !== undefined) throw result.outage.error
    state = result.state
    pages.push({
      dataKeys: pageForecast.dataKeys,
      requests: result.counts.kmsCalls,
      swaps: result.counts.done > 0,
    })
    forecast.add(pageForecast)
    pageForecast = new Forecast(settings)
  }
  const { counts } = state
  const requestsPerSecond = settings.requestsPerSecond ?? forecast.quota * settings.rateShare
  const sequence = sequenceOf(settings)
  const workMs = pages.reduce((sum, { dataKeys, requests }) => {
    const waves = Math.ceil(dataKeys / settings.concurrency)
    return sum + Math.max((requests * 1_000) / requestsPerSecond, waves * sequence * callMs)
  }, 0)
  const pageMs = readMs / Math.max(1, pages.length)
  const swapsMs = pages.filter(({ swaps }) => swaps).length * (swapMs ?? pageMs)
  const sweeps = counts.done > 0 ? 2 : 1
  const requests = [...forecast.byProvider].map(([provider, made]) => pricedAt(provider, made))
  return {
    atMs,
    records: counts.records,
    counts,
    dataKeys: forecast.dataKeys,
    kmsCalls: counts.kmsCalls,
    requests,
    usd: requests.reduce((sum, { usd }) => sum + usd, 0),
    requestsPerSecond,
    timeMs: callMs + readMs * sweeps + workMs + swapsMs,
    readMs,
    sweeps,
  }
}

/** Calls of one rewrap that follow each other. */
function sequenceOf({ kms, verify }: StepSettings): number {
  const { keks, rewrapsInside } = costsOf(kms)
  if (verify === 'kms') return rewrapsInside ? 1 : 2
  return (rewrapsInside ? 1 : 2) + keks
}

function pricedAt(provider: string, requests: number): PlannedRequests {
  const price = termsOf({ provider, kekId: '', kekVersion: '' })?.usdPer10k ?? 0
  return { provider, requests, usd: (requests * price) / 10_000 }
}
