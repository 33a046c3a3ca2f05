/** The suite over the package that is installed beside this file in the scratch folder. */
import { library } from './package.mjs'
import { runCases } from './report.mjs'
// @ts-expect-error -- made beside this file in the scratch folder
import { runtimeSuite } from './suite.mjs'

/** Runs every case, and gives plain data. */
export const runSuite = () => runCases(runtimeSuite(library))
