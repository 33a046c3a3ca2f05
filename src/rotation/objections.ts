import { type CensusCounts, takeCensus } from './census.ts'
import type { CurrentKeks } from './current-keks.ts'
import type { Pacer } from './pacer.ts'
import { ProofOfOpening } from './proof.ts'
import { ReferenceFilter } from './reference-filter.ts'
import type { RetireSettings } from './retire-options.ts'
import type { Objections } from './retirement-result.ts'
import { mayReferTo } from './staleness.ts'
import type { StepSettings } from './step-options.ts'

/** Ports of a census. */
export interface ObjectionPorts {
  readonly settings: StepSettings
  readonly keks: CurrentKeks
  readonly pacer: Pacer
}

/** Counts what refers to a version, or may. */
export async function takeObjections(
  { settings, keks, pacer }: ObjectionPorts,
  { version, proof, signal }: RetireSettings,
): Promise<Objections> {
  const proofs = new ProofOfOpening(settings, pacer, version)
  const filter = new ReferenceFilter()
  let references = 0
  let unproven = 0
  const census = await takeCensus(settings, keks, signal, async ({ message, task, context }) => {
    const { header, kind, commitment } = message?.head ?? {}
    if (commitment === undefined) return
    if (header === undefined) {
      filter.refer(commitment)
      return
    }
    if (kind === 'data-key-record') filter.record(commitment)
    if (header.wraps.some((wrap) => mayReferTo(wrap, version))) references += 1
    else if (proof === 'open') {
      const opened = task ?? (context && { header, context })
      if (opened === undefined || !(await proofs.holds(opened, signal))) unproven += 1
    }
  })
  const emptySources = census.sources.filter(hasNoEnvelope).map(({ name }) => name)
  const { corrupt } = census.counts
  return { references, unproven, corrupt, dangling: filter.missing, emptySources, census }
}

/** Whether there is an objection to a retirement that the caller has not accepted. */
export function isReferenced(
  { references, unproven, corrupt, dangling, emptySources }: Objections,
  { acceptCorrupt, acceptDangling, acceptEmpty }: RetireSettings,
): boolean {
  const counted =
    references + unproven + (acceptCorrupt ? 0 : corrupt) + (acceptDangling ? 0 : dangling)
  return counted > 0 || emptySources.some((name) => !acceptEmpty.includes(name))
}

/** A prefix, a table or a column of a wrong name has records without envelopes, or none. */
function hasNoEnvelope(counts: CensusCounts): boolean {
  const { current, stale, reference, corrupt, denied, outage } = counts
  return current + stale + reference + corrupt + denied + outage + counts['unknown-key'] === 0
}
