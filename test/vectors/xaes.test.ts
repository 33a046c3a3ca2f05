import { describe, expect, it } from 'vitest'
import { xaesCases } from '../runtime/xaes-cases.ts'
import vectors from './xaes.json' with { type: 'json' }

describe('c2sp.org/XAES-256-GCM through the cipher of records', () => {
  it('has both published vectors: one whose L has its top bit set, and one whose L has not', () => {
    const topBits = vectors.vectors.map(({ L }) => Number.parseInt(L.slice(0, 2), 16) >>> 7)
    expect(topBits).toEqual([0, 1])
  })

  it.each(xaesCases())('$name', ({ run }) => run())
})
