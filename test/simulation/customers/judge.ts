import {
  type EncryptionContext,
  InterceptedKms,
  isKmsError,
  KMS_ERROR_CODES,
  type KeyManagementService,
  type KmsCall,
  type KmsSignalOptions,
  type NextCall,
  type WrappedKey,
} from '../../../src/index.ts'
import { currentScope } from '../scope.ts'
import type { CustomersPlan } from './plan.ts'

/** Rules that must always hold. */
export type CustomersRule =
  | 'invisible' // a customer whose KMS is well is served, in time, whatever happens to others
  | 'foreign' // a KMS is asked in calls of its own customer only, and about its own wraps only
  | 'swapped' // a wrap does not open under another customer's context
  | 'opens' // what was wrapped opens to what it was
  | 'typed' // an error has a code
  | 'bounded' // no more KMSs are held than allowed
  | 'hang' // every call ends
  | 'recovers' // when all is well again, every customer is served

/** A data key that left. */
export interface Wrapped {
  readonly customer: string
  readonly wraps: readonly WrappedKey[]
  readonly context: EncryptionContext
  readonly dek: Uint8Array
}

/** The subject of a request. */
export interface Subject {
  /** The customers whose KEKs it may use. */
  readonly customers: readonly string[]
  readonly kind: string
}

/** A dead request takes the `create` that it began along; others wait three times a second for it at most. */
const SERVED_MS = 3_500
/** The part of a customer that hangs ends after 10 s. The parts of a batch run together. */
const BATCH_MS = 10_200

/** Hears what reaches the KMSs, and what came of every call. */
export class CustomersJudge {
  readonly violations: { readonly rule: CustomersRule; readonly text: string }[] = []
  readonly wrapped: Wrapped[] = []
  calls = 0
  readonly #plan: CustomersPlan
  readonly #subjects = new WeakMap<object, Subject>()

  constructor(plan: CustomersPlan) {
    this.#plan = plan
  }

  blame(rule: CustomersRule, text: string): void {
    this.violations.push({ rule, text })
  }

  began(scope: object, subject: Subject): void {
    this.#subjects.set(scope, subject)
  }

  /** A customer's KMS is asked. */
  asked(
    customer: string,
    { operation, wraps = [], items = [] }: Pick<KmsCall<unknown>, 'operation' | 'wraps' | 'items'>,
  ): void {
    this.calls += 1
    const subject = this.#subjects.get(currentScope() ?? this)
    if (subject !== undefined && !subject.customers.includes(customer))
      this.blame(
        'foreign',
        `${customer} is asked in a ${subject.kind} of ${subject.customers.join()}`,
      )
    const all = [...wraps, ...items.flatMap((item) => item.wraps)]
    const foreign = all.find(({ provider }) => provider !== customer)
    if (foreign !== undefined)
      this.blame('foreign', `${customer} gets a wrap of ${foreign.provider} to ${operation}`)
  }

  /** A call ended; its caller did not give up. */
  ended({ customers, kind }: Subject, tookMs: number, error: unknown): void {
    const isTyped = isKmsError(error) && KMS_ERROR_CODES.includes(error.code)
    if (error !== undefined && !isTyped) this.blame('typed', `${kind} threw another error`)
    const isWell = customers.every((name) => this.isWell(name))
    if (!isWell || kind === 'swapped') return
    const code = isTyped ? error.code : ''
    if (error !== undefined) this.blame('invisible', `${kind} of ${customers.join()}: ${code}`)
    if (tookMs > SERVED_MS) this.blame('invisible', `${kind} took ${String(tookMs)} ms`)
  }

  /** A batch of several customers ended. */
  batched(tookMs: number, items: readonly Wrapped[], codes: readonly (string | undefined)[]): void {
    if (tookMs > BATCH_MS) this.blame('invisible', `a batch took ${String(tookMs)} ms`)
    for (const [i, { customer }] of items.entries())
      if (codes[i] !== undefined && this.isWell(customer))
        this.blame('invisible', `an item of ${customer} in a batch: ${codes[i]}`)
  }

  opened(found: Uint8Array, { dek, customer }: Wrapped): void {
    if (Buffer.compare(found, dek) !== 0) this.blame('opens', `another DEK of ${customer}`)
  }

  isWell(customer: string): boolean {
    return !this.#plan.victims.includes(customer)
  }
}

/** The KMS of one customer, which tells the judge of every call. */
export class WatchedKms extends InterceptedKms {
  readonly #judge: CustomersJudge

  constructor(kms: KeyManagementService, judge: CustomersJudge) {
    super(kms, { wholeBatches: true })
    this.#judge = judge
  }

  protected override async around<T, O extends KmsSignalOptions>(
    call: KmsCall<T, O>,
    next: NextCall<T, O>,
  ): Promise<T> {
    // A sample of the health check asks anybody.
    if (call.operation !== 'healthCheck') this.#judge.asked(this.providerName, call)
    return next(call.options)
  }
}
