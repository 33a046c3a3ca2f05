import { expect, it } from 'vitest'
import type { KmsEvent } from '../../../src/index.ts'
import { notify } from '../../../src/runtime/index.ts'
import { turn } from '../../support/fake-world.ts'

const event: KmsEvent = {
  type: 'refusal',
  by: 'circuit',
  provider: 'a',
  operation: 'generateDataKey',
}

it('an observer that throws, or is async and rejects, ends nothing', async () => {
  const unhandled: unknown[] = []
  const note = (reason: unknown): void => {
    unhandled.push(reason)
  }
  process.on('unhandledRejection', note)
  try {
    const failure = new Error('counting failed')
    notify(undefined, event)
    notify(
      {
        observe: () => {
          throw failure
        },
      },
      event,
    )
    const observe = (): unknown => Promise.reject(failure)
    notify({ observe }, event)
    await turn()
    await turn()
    expect(unhandled).toEqual([])
  } finally {
    process.off('unhandledRejection', note)
  }
})
