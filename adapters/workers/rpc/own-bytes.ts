import { type Bytes, copyBytes, toBytes } from '../../../src/bytes/index.ts'

/**
 * Returns bytes that fill their buffer, and copies a view: RPC sends the whole buffer behind one, with
 * whatever lies beside it.
 *
 * @param name - the argument, for the error
 * @throws TypeError if it is not a `Uint8Array`
 */
export function ownBytes(value: Uint8Array, name: string): Bytes {
  const bytes = toBytes(value, name)
  return bytes.length === bytes.buffer.byteLength ? bytes : copyBytes(bytes)
}
