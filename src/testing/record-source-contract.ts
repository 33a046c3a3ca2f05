import type { ContractCase } from './contract-case.ts'
import { fieldCases, nullCase, textIdCase } from './record-source-fields.ts'
import { kindCases } from './record-source-kinds.ts'
import { type AddCase, failingPage, pageCases, type PagesWorld } from './record-source-pages.ts'
import type { RecordSourceSubject, RecordSourceWorld } from './record-source-subject.ts'
import { failingSwap, swapCases } from './record-source-swaps.ts'
import { newValue } from './record-source-values.ts'
import { randomLetters } from './samples.ts'

/** The contract of a source of values for rotations, as cases for any test runner. */
export function recordSourceContract(subject: RecordSourceSubject): readonly ContractCase[] {
  const { fields, without = {}, newId = randomLetters } = subject
  const add: AddCase<RecordSourceWorld> = (name, run) => ({
    name,
    run: async () => run(await subject.create()),
  })
  const addPages: AddCase<PagesWorld> = (name, run) =>
    add(name, (world) => run(pagesOf(world, subject)))
  const names = Object.keys(fields)
  const kinds = names.filter((name, at) => {
    return names.findIndex((one) => fields[one] === fields[name]) === at
  })
  return [
    ...pageCases(addPages, newId),
    ...swapCases(add, subject, newId),
    ...kinds.flatMap((field) => kindCases(add, subject, newId, field)),
    ...(names.length > 1 ? fieldCases(add, subject, newId) : []),
    skipped(nullCase(add, subject, newId), without.nulls),
    skipped(textIdCase(add, subject), without.textIds),
    skipped(failingPage(addPages), without.failures),
    skipped(failingSwap(add, subject, newId), without.failures),
  ]
}

/** Returns the case with the reason why a subject cannot run it, if there is one. */
export function skipped(one: ContractCase, skip: string | undefined): ContractCase {
  return skip === undefined ? one : { ...one, skip }
}

function pagesOf(world: RecordSourceWorld, { fields }: RecordSourceSubject): PagesWorld {
  const { failing } = world
  return {
    source: world.source,
    write: (id) =>
      world.put(
        id,
        Object.fromEntries(Object.entries(fields).map(([name, kind]) => [name, newValue(kind)])),
      ),
    delete: (id) => world.delete(id),
    ...(failing !== undefined && { failing: () => failing() }),
  }
}
