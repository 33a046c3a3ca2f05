import { configError, plainOptions, refuseOthers, wrongOption } from '../../checks/index.ts'
import type { RotationCensus } from '../census.ts'
import type { RotationPlan } from '../plan.ts'
import type { JobRotationResult } from '../result.ts'
import { MAX_SAMPLES, type RotationSample, thinned } from './series.ts'
import { safeName } from './shown.ts'

/** Characters of a heading. */
const TITLE = 200

/** The parts of a report: at least one is required. */
export interface RotationReportOptions {
  /** The heading; `Key rotation` by default, with the name of the job if there is a result. */
  readonly title?: string
  /** The result of `plan()`. */
  readonly plan?: RotationPlan
  /** Results of `census()`, oldest first: the report compares the first with the last. */
  readonly censuses?: readonly RotationCensus[]
  /** Samples of {@link progressSeries}. A report draws at most 240. */
  readonly samples?: readonly RotationSample[]
  /** The result of `run()` or `dryRun()`. Absent while the job runs. */
  readonly result?: JobRotationResult
}

/** The parts, checked; lists are bounded. */
export interface ReportParts {
  readonly title: string
  readonly plan: RotationPlan | undefined
  readonly before: RotationCensus | undefined
  /** The last census, if there are several. */
  readonly after: RotationCensus | undefined
  readonly samples: readonly RotationSample[]
  readonly result: JobRotationResult | undefined
}

/** @throws KmsError `ERR_KMS_CONFIG` */
export function reportParts(options: RotationReportOptions): ReportParts {
  const { title, plan, censuses = [], samples = [], result, ...others } = plainOptions(options)
  refuseOthers(others)
  if (title !== undefined && typeof title !== 'string')
    throw wrongOption('title', 'a string', title)
  if (!Array.isArray(censuses)) throw wrongOption('censuses', 'an array', censuses)
  if (!Array.isArray(samples))
    throw wrongOption('samples', 'an array, such as series.samples()', samples)
  demandCounts('plan', plan, 'what plan() returned')
  demandCounts('result', result, 'what run() or dryRun() returned')
  censuses.forEach((one, i) => demandCounts(`censuses.${String(i)}`, one, 'what census() returned'))
  samples.forEach((one, i) => demandCounts(`samples.${String(i)}`, one, 'a sample of a series'))
  if (plan === undefined && result === undefined && censuses.length + samples.length === 0)
    throw configError('a report needs at least one of plan, censuses, samples and result')
  return {
    title: safeName(
      title ?? (result === undefined ? 'Key rotation' : `Key rotation: ${result.job}`),
      TITLE,
    ),
    plan,
    before: censuses[0] as RotationCensus | undefined,
    after: censuses.length > 1 ? (censuses.at(-1) as RotationCensus) : undefined,
    samples: thinned(samples as readonly RotationSample[], MAX_SAMPLES),
    result,
  }
}

/** Every part has counts. A promise of one has not. */
function demandCounts(name: string, part: unknown, expected: string): void {
  if (part === undefined) return
  const { counts } = Object(part) as { readonly counts?: unknown }
  if (Object(counts) !== counts) throw wrongOption(name, expected, part)
}
