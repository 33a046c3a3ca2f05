/**
 * Uploads an object of a stream in parts to a store that drops them, and prints the peak of this process in MiB:
 * the memory that the library alone takes.
 */
import { EnvelopeCipher } from 'edge-kms'
import { createLocalKms } from 'edge-kms/local'
import { EncryptedBucket } from 'edge-kms/objects'

const MIB = 1_048_576
const PIECE = 65_536
const mib = Number(process.argv[2])

let stored = 0
/** @type {Readonly<Record<string, string>>} */
let metadata = {}
const bucket = {
  provider: 'dropped',
  conditionalUploads: true,
  /** @param {import('edge-kms/objects').ObjectWrite} write */
  startUpload(write) {
    metadata = write.metadata
    return Promise.resolve({
      /** @param {number} partNumber @param {Uint8Array} bytes */
      put(partNumber, bytes) {
        stored += bytes.length
        return Promise.resolve({ partNumber, etag: String(partNumber) })
      },
      complete: () => Promise.resolve({ etag: 'e', size: stored }),
      abort: () => Promise.resolve(),
    })
  },
  put: () => Promise.reject(new Error('the object is too long for one put')),
  /** @returns {Promise<any>} */
  read: () =>
    Promise.resolve({
      state: 'found',
      object: { etag: 'e', size: stored, metadata: (/** @type {string} */ name) => metadata[name] },
      content: new Uint8Array(0),
    }),
  /** @returns {Promise<any>} */
  open: () => Promise.resolve({ state: 'missing' }),
  discard: () => Promise.resolve(),
}

const key = crypto.getRandomValues(new Uint8Array(32))
const cipher = new EnvelopeCipher({ kms: createLocalKms({ versions: [{ version: 1, key }] }) })
const files = new EncryptedBucket({ bucket, cipher, contextOf: () => ({}) })

let left = (mib * MIB) / PIECE
const source = new ReadableStream(
  {
    pull(to) {
      if (left-- > 0) to.enqueue(new Uint8Array(PIECE))
      else to.close()
    },
  },
  { highWaterMark: 0 },
)
let peak = 0
const timer = setInterval(() => (peak = Math.max(peak, process.memoryUsage().rss)), 10)
await files.put('a', source)
clearInterval(timer)
if (stored <= mib * MIB) throw new Error(`stored ${String(stored)} bytes`)
console.log(Math.round(peak / MIB))
