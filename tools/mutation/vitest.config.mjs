import { defineConfig } from 'vitest/config'
import { EXCLUDED } from './folders.mjs'

const { tests } = JSON.parse(process.env['EDGE_KMS_MUTATION'] ?? '{"tests":[]}')

export default defineConfig({
  test: {
    include: tests.map((path) => `test/${path}/**/*.test.ts`),
    exclude: EXCLUDED.map((path) => `test/${path}`),
    globals: false,
    testTimeout: 0,
    hookTimeout: 0,
    reporters: [],
  },
})
