export { signCheckpoint, verifyCheckpoint } from './checkpoint-signature.ts'
export {
  CHUNKED,
  type ChunkedKeys,
  type ChunkedSuite,
  COBBLESTONE_256,
  chunkNonce,
  deriveChunkedKeys,
  openChunk,
  openChunked,
  sealChunk,
  streamContext,
} from './chunked.ts'
export { type DataKeyBinding, type DerivedKeys, deriveDataKey } from './data-key-derivation.ts'
export { sha256 } from './digest.ts'
export {
  importLocalKek,
  LOCAL_WRAP_BYTES,
  type LocalWrapBinding,
  unwrapLocally,
  wrapLocally,
} from './local-wrap.ts'
export { openRecord, recordAad, sealRecord } from './record.ts'
export { RecordKeys } from './record-keys.ts'
export {
  authenticateStored,
  importStoreAuthKey,
  isAuthenticStored,
} from './store-authentication.ts'
export { BatchSubkeys, SubkeyPool } from './subkeys.ts'
export { deriveSubkey, importXaesKey, XAES, type XaesKey, xaesKeyOf } from './xaes.ts'
