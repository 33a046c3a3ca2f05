// Pushes so many MiB through encryptStream and decryptStream, and prints what memory that took.
import { EnvelopeCipher } from '../../../src/index.ts'
import { createLocalKms } from '../../../src/providers/local/index.ts'

const MIB = 1_048_576
const total = Number(process.argv[2]) * MIB
const kms = createLocalKms({
  versions: [{ version: 1, key: Uint8Array.from({ length: 32 }, (_, i) => i + 1) }],
})
const cipher = new EnvelopeCipher({ kms })
const piece = new Uint8Array(65_536).fill(0x61)

async function run(bytes: number, seen: () => void): Promise<number> {
  let sent = 0
  const source = new ReadableStream<Uint8Array>({
    pull(controller): void {
      if (sent >= bytes) {
        controller.close()
        return
      }
      sent += piece.length
      controller.enqueue(piece)
    },
  })
  let received = 0
  const reader = source
    .pipeThrough(cipher.encryptStream())
    .pipeThrough(cipher.decryptStream())
    .getReader()
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return received
    received += value.length
    seen()
  }
}

// Code and pools that any first use loads are not part of the stream's own cost.
await run(MIB, () => undefined)
const start = process.memoryUsage.rss()
let peak = start
// With --expose-gc garbage is collected all the time, so that what is left is what the streams hold.
const { gc } = globalThis
if (gc !== undefined) {
  setInterval(() => {
    gc()
  }, 20).unref()
}
const received = await run(total, () => {
  peak = Math.max(peak, process.memoryUsage.rss())
})
console.log(JSON.stringify({ received, start, peak }))
