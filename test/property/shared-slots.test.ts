import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeSlot, encodeSlot, headerOf } from '../../src/data-keys/shared/slot.ts'
import { StoreAuth } from '../../src/data-keys/shared/store-auth.ts'

const bytes = (length: number) =>
  fc.uint8Array({ minLength: length, maxLength: length }).map((value) => new Uint8Array(value))
const time = fc.nat({ max: Number.MAX_SAFE_INTEGER })
const slots = fc.record(
  {
    epoch: bytes(16),
    lease: fc.record({ holder: bytes(16), untilMs: time }),
    active: fc.record({
      commitment: bytes(32),
      notAfterMs: time,
      mac: bytes(32),
      record: fc.uint8Array({ minLength: 1, maxLength: 300 }).map((value) => new Uint8Array(value)),
    }),
  },
  { requiredKeys: ['epoch'] },
)
const auth = new StoreAuth('a partition', new Uint8Array(32).fill(7))
const trusting = new StoreAuth('a partition', undefined)
const junk = fc.uint8Array({ maxLength: 400 }).map((value) => new Uint8Array(value))

describe('what a store holds for a context', () => {
  it('comes back as it was written', async () => {
    await fc.assert(
      fc.asyncProperty(slots, async (slot) => {
        const value = await encodeSlot(auth, 'name', slot)
        expect(await decodeSlot(auth, 'name', value)).toEqual({
          lease: undefined,
          active: undefined,
          ...slot,
        })
        expect(await decodeSlot(auth, 'another', value)).toBeUndefined()
      }),
      { numRuns: 300 },
    )
  })

  it('is a slot or nothing, whatever it is: no parser throws', async () => {
    // Half of them begin as a slot does, so that the parser gets further.
    const beginning = fc.tuple(fc.constantFrom(0, 1, 2, 3, 4), junk).map(([flags, rest]) => {
      return new Uint8Array([1, flags, ...rest])
    })
    await fc.assert(
      fc.asyncProperty(fc.oneof(junk, beginning), async (value) => {
        expect(await decodeSlot(auth, 'name', value)).toBeUndefined()
        const slot = await decodeSlot(trusting, 'name', value)
        if (slot?.active !== undefined) expect(headerOf(slot.active, 16)).toBeUndefined()
      }),
      { numRuns: 1_000 },
    )
  })
})
