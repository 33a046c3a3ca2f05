// An abort ends what waits for somebody else: a source that stalls, a read that hangs.
import { expect, it, vi } from 'vitest'
import type { EnvelopeCipher } from '../../../src/index.ts'
import { OPTIONS, sequence, setUp } from '../wire/fixture.ts'

const REASON = new Error('the caller went away')
type Pipe = (cipher: EnvelopeCipher, signal: AbortSignal) => TransformStream<Uint8Array, Uint8Array>
const PIPES: Readonly<Record<string, Pipe>> = {
  encryptStream: (cipher, signal) => cipher.encryptStream({ ...OPTIONS, signal }),
  decryptStream: (cipher, signal) =>
    cipher.decryptStream({ ...OPTIONS, kinds: ['record'], signal }),
  rewrapStream: (cipher, signal) => {
    return cipher.rewrapStream({ context: OPTIONS.context, signal })
  },
}

it.each(Object.keys(PIPES))('%s ends with the reason though its source stalls', async (name) => {
  const { cipher } = setUp()
  const open = PIPES[name] as Pipe
  const record = await cipher.encrypt(sequence(9), OPTIONS)
  for (const pieces of [[], [record.subarray(0, 20)]]) {
    const control = new AbortController()
    let cancelled: unknown
    const source = new ReadableStream<Uint8Array>({
      start(controller): void {
        for (const piece of pieces) controller.enqueue(piece)
      },
      cancel(reason): void {
        cancelled = reason
      },
    })
    const reader = source.pipeThrough(open(cipher, control.signal)).getReader()
    // The key header comes before anything that has to be waited for.
    const reads = (async () => {
      while (!(await reader.read()).done);
    })()
    setTimeout(() => {
      control.abort(REASON)
    }, 5)
    await expect(reads).rejects.toBe(REASON)
    // A write that is under way ends first.
    await vi.waitFor(() => {
      expect(cancelled).toBe(REASON)
    })
  }
})

it.each(Object.keys(PIPES))('%s ends at once under a signal that is aborted', async (name) => {
  const { cipher } = setUp()
  const pipe = (PIPES[name] as Pipe)(cipher, AbortSignal.abort(REASON))
  await expect(pipe.readable.getReader().read()).rejects.toBe(REASON)
})

it('no listener stays on a signal that outlives its streams', async () => {
  const { cipher } = setUp()
  const control = new AbortController()
  const { signal } = control
  let listeners = 0
  const { addEventListener, removeEventListener } = signal
  signal.addEventListener = (...args: Parameters<typeof addEventListener>) => {
    listeners += 1
    addEventListener.apply(signal, args)
  }
  signal.removeEventListener = (...args: Parameters<typeof removeEventListener>) => {
    listeners -= 1
    removeEventListener.apply(signal, args)
  }
  const whole = new Blob([sequence(40_000)]).stream()
  await new Response(whole.pipeThrough(cipher.encryptStream({ ...OPTIONS, signal }))).bytes()
  const rest = new Blob([sequence(40_000)]).stream()
  await rest.pipeThrough(cipher.encryptStream({ ...OPTIONS, signal })).cancel()
  expect(listeners).toBe(0)
})

it('decryptRange ends with the reason though read() hangs', async () => {
  const { cipher } = setUp()
  const control = new AbortController()
  const never = (): Promise<Uint8Array> => new Promise(() => undefined)
  const range = cipher.decryptRange(never, { start: 0 }, { ...OPTIONS, signal: control.signal })
  control.abort(REASON)
  await expect(range).rejects.toBe(REASON)
})
