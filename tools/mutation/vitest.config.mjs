import { defineConfig } from 'vitest/config'

const { tests } = JSON.parse(process.env['EDGE_KMS_MUTATION'] ?? '{"tests":[]}')

export default defineConfig({
  test: {
    include: tests.map((path) => `test/${path}/**/*.test.ts`),
    // They start other processes, which no mutant reaches, or take minutes.
    exclude: [
      'test/unit/data-keys/snapshot.test.ts',
      'test/unit/envelope/stream-memory.test.ts',
      'test/property/fuzz.test.ts',
    ],
    globals: false,
    testTimeout: 0,
    hookTimeout: 0,
    reporters: [],
  },
})
