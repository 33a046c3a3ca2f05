import type { EncryptionContext, KeyManagementService } from '../kms/index.ts'
import { demand, demandCode } from './contract-case.ts'
import { call, type KmsContractSubject, sameDek } from './kms-contract-cases.ts'

type Contexts = Readonly<Record<'one' | 'other' | 'none', EncryptionContext>>

function customersOf({ customers }: KmsContractSubject): Contexts {
  demand(customers !== undefined, 'the subject must have customers: keksByContext is set')
  return customers
}

export async function keepsCustomersApart(
  kms: KeyManagementService,
  subject: KmsContractSubject,
): Promise<void> {
  const customers = customersOf(subject)
  const [one, other] = [call(customers.one), call(customers.other)]
  const own = await kms.generateDataKey(one)
  const foreign = await kms.generateDataKey(other)
  await demandCode(kms.unwrapDataKey(own.wraps, other), 'ERR_ENVELOPE_UNKNOWN_KEY')
  await demandCode(kms.rewrapDataKey(own.wraps, other), 'ERR_ENVELOPE_UNKNOWN_KEY')
  demand(
    !own.wraps.some((wrap) => kms.canUnwrap(wrap, other.context)),
    'the wrap of one customer counts as that of another',
  )
  const mixed = [...foreign.wraps, ...own.wraps]
  demand(await sameDek(kms, mixed, one, own.plaintext), 'the wrap of another customer is opened')
  const outcomes = await kms.unwrapMany(
    [
      { wraps: own.wraps, context: other.context },
      { wraps: foreign.wraps, context: other.context },
    ],
    {},
  )
  demand(outcomes[0]?.ok === false, 'a batch opens the wrap of one customer for another')
  demand(outcomes[1]?.ok === true, 'a batch does not open the wrap of a customer')
}

export async function refusesStrangers(
  kms: KeyManagementService,
  subject: KmsContractSubject,
): Promise<void> {
  const customers = customersOf(subject)
  const { wraps } = await kms.generateDataKey(call(customers.one))
  const none = call(customers.none)
  demand(!wraps.some((wrap) => kms.canUnwrap(wrap, none.context)), 'a context of nobody can open')
  await demandCode(kms.generateDataKey(none), 'ERR_KMS_KEY_NOT_FOUND')
  await demandCode(kms.unwrapDataKey(wraps, none), 'ERR_ENVELOPE_UNKNOWN_KEY')
}

export async function needsTheContext(kms: KeyManagementService): Promise<void> {
  await demandCode(kms.currentVersion({}), 'ERR_KMS_UNSUPPORTED')
  await demandCode(kms.rotateKey({}), 'ERR_KMS_UNSUPPORTED')
}
