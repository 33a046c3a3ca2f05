import type { ReportFacts } from './facts.ts'
import { failures } from './failures.ts'
import { type ReportParts, reportParts, type RotationReportOptions } from './options.ts'
import { rateOverTime, versionsOverTime } from './over-time.ts'
import { pageOf } from './page.ts'
import { classes, sources, vendors, versions } from './sections.ts'
import { safeName } from './shown.ts'
import { textOf } from './text.ts'
import { figuresOf, isBad, verdictOf } from './verdict.ts'

/** A report in three forms. None holds a secret or a message; ids of the first 20 failures are in all of them. */
export interface RotationReport {
  /** For a terminal, a log or a ticket. Control characters in names are escaped. */
  readonly text: string
  /** The parts as one JSON object, for programs. A rate of `null` means unlimited. */
  readonly json: string
  /**
   * One page of at most 100 KiB with charts, and a table beside each. It loads nothing and runs no script, and its
   * Content-Security-Policy forbids both. Names are escaped.
   */
  readonly html: string
}

/**
 * Returns a report of a plan, of a running job or of its result as text, JSON and one HTML page.
 *
 * @throws KmsError `ERR_KMS_CONFIG` without a plan, census, sample or result
 *
 * @example
 * ```ts
 * import { writeFile } from 'node:fs/promises'
 * import { type KeyRotationManager, rotationReport } from 'edge-kms/rotation'
 *
 * export async function savePlan(manager: KeyRotationManager): Promise<void> {
 *   const { text, html } = rotationReport({ plan: await manager.plan(), censuses: [await manager.census()] })
 *   console.log(text)
 *   await writeFile('plan.html', html)
 * }
 * ```
 */
export function rotationReport(options: RotationReportOptions): RotationReport {
  const parts = reportParts(options)
  const facts = factsOf(parts)
  return { text: textOf(facts), json: jsonOf(parts), html: pageOf(facts) }
}

function factsOf(parts: ReportParts): ReportFacts {
  return {
    title: safeName(parts.title, 120),
    verdict: verdictOf(parts),
    isBad: isBad(parts),
    figures: figuresOf(parts),
    sections: [
      ...versionsOverTime(parts),
      ...rateOverTime(parts),
      ...failures(parts),
      ...versions(parts),
      ...classes(parts),
      ...vendors(parts),
      ...sources(parts),
    ],
  }
}

function jsonOf({ title, plan, before, after, samples, result }: ReportParts): string {
  const censuses = [before, after].filter((census) => census !== undefined)
  return JSON.stringify({ version: 1, title, plan, censuses, samples, result })
}
