import { conditionCases } from './conditions.ts'
import { failureCases } from './failures.ts'
import { rewrapCases } from './rewraps.ts'
import { roundTripCases } from './round-trips.ts'
import { tamperingCases } from './tampering.ts'
import type { ObjectCase } from './world.ts'

/** Cases that must pass on every object store. */
export const objectCases: readonly ObjectCase[] = [
  ...roundTripCases,
  ...tamperingCases,
  ...conditionCases,
  ...failureCases,
  ...rewrapCases,
]
