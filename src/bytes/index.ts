export {
  binaryString,
  type Bytes,
  compareBytes,
  concatBytes,
  copyBytes,
  equalBytes,
  equalBytesConstantTime,
  toBytes,
} from './bytes.ts'
export { decodeBase64, decodeBase64Url, encodeBase64, encodeBase64Url } from './base64.ts'
export { decodeUtf8, encodeUtf8, isWellFormed } from './utf8.ts'
