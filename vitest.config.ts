import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/{unit,property,vectors,kit,simulation,workerd}/**/*.test.ts'],
    // R12: no test may print, throw or store a secret.
    setupFiles: ['test/support/canary.ts'],
    passWithNoTests: false,
    globals: false,
    // V8 of Node 24 aborts now and then where threads of one process compile ("jit_page.has_value").
    pool: 'forks',
    // Two cores, often shared with other work.
    maxWorkers: 2,
    // A test has no time limit: what hangs is stopped by the lane's budget, which says so.
    testTimeout: 0,
    hookTimeout: 0,
    reporters: ['default', './tools/count-reporter.mjs'],
  },
})
