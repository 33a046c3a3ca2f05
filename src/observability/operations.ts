import type { KmsOperation } from '../ports/index.ts'

/** Every operation. */
export const OPERATIONS: ReadonlySet<string> = /* @__PURE__ */ new Set<KmsOperation>([
  'generateDataKey',
  'wrapDataKey',
  'unwrapDataKey',
  'unwrapMany',
  'rewrapDataKey',
  'currentVersion',
  'rotateKey',
  'healthCheck',
])
