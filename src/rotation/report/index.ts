/** Reports of rotations: text, JSON and one HTML page. */
export type { RotationReportOptions } from './options.ts'
export { rotationReport, type RotationReport } from './report.ts'
export {
  type ProgressSeries,
  progressSeries,
  type ProgressSeriesOptions,
  type RotationSample,
} from './series.ts'
