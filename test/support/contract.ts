import { it } from 'vitest'
import type { ContractCase } from '../../src/testing/index.ts'

/** The cases of a contract suite as tests; what a capability rules out is skipped with its reason. */
export function runContract(cases: readonly ContractCase[]): void {
  for (const { name, skip, run } of cases) {
    it(name, async (context) => {
      if (skip !== undefined) context.skip(skip)
      await run()
    })
  }
}
