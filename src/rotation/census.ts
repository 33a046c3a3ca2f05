import type { KekVersion } from '../kms/index.ts'
import type { CurrentKeks } from './current-keks.ts'
import type { JudgedValue } from './judge.ts'
import { versionName } from './staleness.ts'
import type { StepSettings } from './step-options.ts'
import { type WalkedPage, walkSources } from './walk.ts'

/** Versions that a census lists: customers may have a KEK each. */
const MAX_VERSIONS = 10_000

/** The class of a value, as far as it is known without the KMS. `stale`: a rotation would rewrap it. */
export type CensusClass =
  | 'current'
  | 'stale'
  | 'reference'
  | 'empty'
  | 'foreign'
  | 'unknown-key'
  | 'corrupt'
  | 'denied'
  | 'outage'

/** Counts of one source, or of all. */
export interface CensusCounts extends Readonly<Record<CensusClass, number>> {
  readonly records: number
  /** Data-key records, which are among the `current` and `stale` ones. */
  readonly dataKeyRecords: number
}

/** How many wraps are under one version of a KEK, according to the values themselves. */
export interface VersionCount extends KekVersion {
  readonly wraps: number
}

/** Counts of stored values by version. Nothing in it is authenticated: only an unwrap proves a version. */
export interface RotationCensus {
  readonly atMs: number
  readonly sources: readonly (CensusCounts & { readonly name: string })[]
  readonly counts: CensusCounts
  /** The most used first, at most 10,000. */
  readonly versions: readonly VersionCount[]
  /** Wraps under versions beyond those. */
  readonly otherWraps: number
}

/** Looks at each value of a census. */
export type CensusWitness = (value: JudgedValue, page: WalkedPage) => void | Promise<void>

/**
 * Returns what is stored, by version and class. Reads every record once, and asks the KMS only for its current
 * versions.
 *
 * @param witness - sees each value; the census waits for it
 */
export async function takeCensus(
  settings: StepSettings,
  keks: CurrentKeks,
  signal: AbortSignal | undefined,
  witness?: CensusWitness,
): Promise<RotationCensus> {
  const atMs = settings.runtime.now()
  const bySource = new Map(settings.sources.map(({ name }) => [name, zero()]))
  const versions = new Map<string, { readonly kek: KekVersion; wraps: number }>()
  let otherWraps = 0
  for await (const page of walkSources(settings, keks, signal)) {
    const counts = bySource.get(page.source.name) as Counting
    counts.records += page.records
    for (const value of page.values) {
      counts[value.verdict as CensusClass] += 1
      if (value.message?.head.kind === 'data-key-record') counts.dataKeyRecords += 1
      for (const { provider, kekId, kekVersion } of value.message?.head.header?.wraps ?? []) {
        const kek = { provider, kekId, kekVersion }
        const name = versionName(kek)
        const known = versions.get(name)
        if (known !== undefined) known.wraps += 1
        else if (versions.size < MAX_VERSIONS) versions.set(name, { kek, wraps: 1 })
        else otherWraps += 1
      }
      await witness?.(value, page)
    }
  }
  const sources = [...bySource].map(([name, counts]) => ({ name, ...counts }))
  const list = [...versions.values()].map(({ kek, wraps }) => ({ ...kek, wraps }))
  list.sort((a, b) => b.wraps - a.wraps)
  return { atMs, sources, counts: sum(sources), versions: list, otherWraps }
}

type Counting = { -readonly [Name in keyof CensusCounts]: number }

function zero(): Counting {
  return {
    records: 0,
    current: 0,
    stale: 0,
    reference: 0,
    empty: 0,
    foreign: 0,
    'unknown-key': 0,
    corrupt: 0,
    denied: 0,
    outage: 0,
    dataKeyRecords: 0,
  }
}

function sum(all: readonly CensusCounts[]): CensusCounts {
  const total = zero()
  for (const counts of all)
    for (const name of Object.keys(total) as (keyof CensusCounts)[]) total[name] += counts[name]
  return total
}
