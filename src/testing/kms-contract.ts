import type { KeyManagementService } from '../kms/index.ts'
import type { ContractCase } from './contract-case.ts'
import {
  keepsCustomersApart,
  needsTheContext,
  refusesStrangers,
} from './kms-contract-by-context.ts'
import {
  bindsTheContext,
  generates,
  honoursAbort,
  isHealthy,
  isRandom,
  type KmsContractSubject,
  leavesPlaintext,
  namesVersions,
  passesOver,
  printsNothing,
  refusesForeign,
  refusesOtherHalf,
  refusesRotation,
  refusesTampering,
  rewraps,
  rotatesKey,
  roundTrip,
  unwrapsMany,
} from './kms-contract-cases.ts'

/**
 * The contract of {@link KeyManagementService} as cases for any test runner. A provider, a decorator over a healthy
 * provider and a third party's service pass it whole; a case that a missing capability rules out is skipped and says
 * so.
 *
 * @example
 * ```ts
 * import { createLocalKms } from 'edge-kms/local'
 * import { kmsContract } from 'edge-kms/testing'
 *
 * const versions = [{ version: 1, key: crypto.getRandomValues(new Uint8Array(32)) }]
 * export const cases = kmsContract(createLocalKms({ versions }).capabilities, {
 *   create: () => createLocalKms({ versions }),
 *   createOther: () => createLocalKms({ kekId: 'other', versions }),
 * })
 * ```
 */
export function kmsContract(
  capabilities: KeyManagementService['capabilities'],
  subject: KmsContractSubject,
): readonly ContractCase[] {
  const { usage, bindsContext, rotates, keksByContext } = capabilities
  const both = usage === 'both' ? undefined : `usage is ${usage}`
  const binds = bindsContext ? both : 'bindsContext is false'
  return [
    add('generates a DEK of 32 random bytes and wraps it', subject, both, generates),
    add('unwraps what it wrapped', subject, both, roundTrip),
    add('two DEKs and two wraps of one DEK differ', subject, both, isRandom),
    add('refuses a wrap under a changed context', subject, binds, bindsTheContext),
    add('refuses a changed wrap', subject, both, refusesTampering),
    add('refuses wraps of other keys before any I/O', subject, both, refusesForeign),
    add('passes over wraps that are not its own', subject, both, passesOver),
    add('rewraps: same DEK, new wraps', subject, both, rewraps),
    add('unwrapMany keeps order and gives one outcome for each', subject, both, unwrapsMany),
    add('names the current version as it wraps', subject, both, namesVersions),
    add('rotates: old wraps still open', subject, rotates ? both : 'rotates is false', rotatesKey),
    add('says no to rotation', subject, rotates ? 'rotates is true' : undefined, refusesRotation),
    add('says that it is healthy', subject, undefined, isHealthy),
    add('rejects with the reason of an aborted signal', subject, both, honoursAbort),
    add('leaves the DEK of the caller alone', subject, both, leavesPlaintext),
    add('keeps secrets out of what it prints', subject, both, printsNothing),
    ...(keksByContext ? byContext(subject, both) : []),
    add(
      'refuses the half that it is not configured for',
      subject,
      usage === 'both' ? 'usage is both' : undefined,
      refusesOtherHalf,
    ),
  ]
}

function byContext(subject: KmsContractSubject, skip: string | undefined): readonly ContractCase[] {
  return [
    add('opens with the KEK of the context alone', subject, skip, keepsCustomersApart),
    add('refuses a context that has no KEK', subject, skip, refusesStrangers),
    add('needs a context to name or rotate a KEK', subject, skip, needsTheContext),
  ]
}

type Run = (kms: KeyManagementService, subject: KmsContractSubject) => Promise<void>

function add(
  name: string,
  subject: KmsContractSubject,
  skip: string | undefined,
  run: Run,
): ContractCase {
  return {
    name,
    ...(skip !== undefined && { skip }),
    run: async () => run(await subject.create(), subject),
  }
}
