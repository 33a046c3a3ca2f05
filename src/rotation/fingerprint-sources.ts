import { configError } from '../checks/index.ts'
import type { CurrentKeks } from './current-keks.ts'
import { addFingerprints } from './fingerprint.ts'
import { type PageFacts, PageTally } from './page-tally.ts'
import { Quarantine } from './quarantine.ts'
import type { StepSettings } from './step-options.ts'
import { walkSources } from './walk.ts'

/** The fingerprint of everything in one source that a rotation must not change. */
export interface SourceFingerprint {
  readonly source: string
  readonly values: number
  /** 43 characters. Equal contents under the same key have equal fingerprints, in any order. */
  readonly fingerprint: string
}

/** The result of comparing two lists of fingerprints. */
export interface FingerprintComparison {
  readonly same: readonly string[]
  readonly different: readonly string[]
  /** Sources that only one of the lists has. */
  readonly missing: readonly string[]
}

/**
 * Returns a fingerprint of each source. Reads every record once and changes nothing.
 *
 * @throws KmsError `ERR_KMS_CONFIG` without `fingerprintKey`
 */
export async function fingerprintSources(
  settings: StepSettings,
  keks: CurrentKeks,
  signal: AbortSignal | undefined,
): Promise<readonly SourceFingerprint[]> {
  const { fingerprints, sources } = settings
  if (fingerprints === undefined)
    throw configError('fingerprintKey is missing: fingerprints need it')
  const empty = addFingerprints(undefined, [])
  const sums = new Map(sources.map(({ name }) => [name, { values: 0, fingerprint: empty }]))
  for await (const { source, values } of walkSources(settings, keks, signal)) {
    const facts: PageFacts = {
      source: source.name,
      sweep: 1,
      quarantine: new Quarantine([]),
      fingerprints,
      nowMs: 0,
      goesOn: false,
    }
    const tally = new PageTally(facts)
    await tally.take(values, source.kind === 'objects')
    const sum = sums.get(source.name)
    if (sum === undefined) continue
    sum.values += tally.fingerprints.length
    sum.fingerprint = addFingerprints(sum.fingerprint, tally.fingerprints)
  }
  return [...sums].map(([source, sum]) => ({ source, ...sum }))
}

/**
 * Compares fingerprints of the same sources: of a backup and what was restored from it, or of a table before a
 * rotation and after it. They also differ if a writer changed something in between.
 *
 * @example
 * ```ts
 * import { compareFingerprints, type SourceFingerprint } from 'edge-kms/rotation'
 *
 * export function isRestored(backup: readonly SourceFingerprint[], now: readonly SourceFingerprint[]) {
 *   const { different, missing } = compareFingerprints(backup, now)
 *   return different.length + missing.length === 0
 * }
 * ```
 */
export function compareFingerprints(
  a: readonly SourceFingerprint[],
  b: readonly SourceFingerprint[],
): FingerprintComparison {
  const others = new Map(b.map(({ source, fingerprint }) => [source, fingerprint]))
  const names = new Set(a.map(({ source }) => source))
  const same: string[] = []
  const different: string[] = []
  const missing = b.map(({ source }) => source).filter((source) => !names.has(source))
  for (const { source, fingerprint } of a) {
    const other = others.get(source)
    if (other === undefined) missing.push(source)
    else (other === fingerprint ? same : different).push(source)
  }
  return { same, different, missing }
}
