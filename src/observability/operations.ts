import type { KeyLifecycleOperation, KmsOperation } from '../ports/index.ts'

/** Every operation of a KMS. */
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

/** Every operation that an audit record may have. */
export const AUDITED_OPERATIONS: ReadonlySet<string> = /* @__PURE__ */ new Set<
  KmsOperation | KeyLifecycleOperation
>([
  'generateDataKey',
  'wrapDataKey',
  'unwrapDataKey',
  'unwrapMany',
  'rewrapDataKey',
  'currentVersion',
  'rotateKey',
  'healthCheck',
  'startRotation',
  'pauseRotation',
  'resumeRotation',
  'stopRotation',
  'finishRotation',
  'disableKeyVersion',
  'enableKeyVersion',
  'scheduleKeyDestruction',
])
