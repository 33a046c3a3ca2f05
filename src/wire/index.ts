export { malformed } from './byte-reader.ts'
export { LIMITS } from './limits.ts'
export { type DataKeyFields, encodeKeyHeader, type KeyHeader, storedPart } from './key-header.ts'
export {
  ALL_KINDS,
  beginsAs,
  COMMITMENT_AT,
  checkBodyLength,
  dataKeyStoreKey,
  encodeHead,
  HEAD_AT,
  type MessageHead,
  type MessageKind,
  parseHead,
  parseMessage,
  type ReadPolicy,
  referenceKindOf,
  WIRE_VERSION,
} from './message.ts'
export { decodeTextForm, decodeTextStart, encodeTextForm } from './text-form.ts'
