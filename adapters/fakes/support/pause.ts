import { untilAborted, webNetwork } from '../../../src/runtime/index.ts'

/** Waits, unless the client goes away first. */
export async function pause(delayMs: number, signal: AbortSignal | undefined): Promise<void> {
  let stop = (): void => undefined
  const time = new Promise<void>((resolve) => {
    stop = webNetwork.after(delayMs, resolve)
  })
  try {
    await untilAborted(time, signal)
  } finally {
    stop()
  }
}
