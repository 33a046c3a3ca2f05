export {
  binaryString,
  type Bytes,
  concatBytes,
  copyBytes,
  encodeU64,
  equalBytes,
  equalBytesConstantTime,
  standsAt,
  toBytes,
} from './bytes.ts'
export { crc32c } from './crc32c.ts'
export { decodeBase64, decodeBase64Url, encodeBase64, encodeBase64Url } from './base64.ts'
export { compareUtf8, decodeUtf8, encodeUtf8, isWellFormed, utf8Length, writeUtf8 } from './utf8.ts'
