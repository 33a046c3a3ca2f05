/** Driven by tools/mutation.mjs. */
import { join } from 'node:path'

const { name, report, scratch, lanes } = JSON.parse(process.env['EDGE_KMS_MUTATION_RUN'] ?? '{}')

export default {
  testRunner: 'vitest',
  plugins: ['@stryker-mutator/vitest-runner', join(import.meta.dirname, 'plugin.mjs')],
  ignorers: ['messages'],
  checkers: ['sample'],
  vitest: { configFile: 'tools/mutation/vitest.config.mjs', related: false },
  // TypeScript 7 has no API that Stryker could rewrite paths with; there are none to rewrite.
  tsconfigFile: 'none.json',
  coverageAnalysis: 'perTest',
  ignoreStatic: true,
  mutate: [`src/${name}/**/*.ts`],
  ignorePatterns: ['.git', 'dist', 'bench', 'tools/*/node_modules'],
  concurrency: lanes,
  tempDirName: join(scratch, 'sandboxes'),
  reporters: ['json'],
  jsonReporter: { fileName: report },
  logLevel: 'warn',
  allowConsoleColors: false,
}
