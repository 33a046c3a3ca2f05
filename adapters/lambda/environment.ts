import {
  demandFunction,
  flag,
  integer,
  optionError,
  plainOptions,
  refuseOthers,
  wrongOption,
} from '../../src/checks/index.ts'
import type { Network } from '../../src/index.ts'
import { untilAborted, webTimers } from '../../src/runtime/index.ts'
import { Invocation } from './invocation.ts'
import type { KmsStack, KmsTools, LambdaContext, LambdaOptions } from './types.ts'

const MAX_MARGIN_MS = 60_000

/**
 * Keeps the stack between the invocations of an execution environment, and nothing else. Invocations overlap where
 * `AWS_LAMBDA_MAX_CONCURRENCY` is set, so nothing of one of them may be here.
 */
export class Environment<S extends KmsStack> {
  readonly #create: () => S | Promise<S>
  readonly #marginMs: number
  readonly #network: Pick<Network, 'after'>
  readonly #reserved: readonly string[]
  #stack: Promise<S> | undefined
  /** A stack that is finished outlives an invocation that had no time left. */
  #isMade = false

  /**
   * @param reserved - members of the handler's tools that the result of `create` would hide
   * @throws KmsError `ERR_KMS_CONFIG`
   */
  constructor(options: LambdaOptions<S>, reserved: readonly string[] = ['signal', 'defer']) {
    const {
      create,
      init = false,
      marginMs = 500,
      network = webTimers,
      ...others
    } = plainOptions(options)
    refuseOthers(others)
    this.#create = demandFunction('create', create)
    this.#marginMs = integer('marginMs', marginMs, 0, MAX_MARGIN_MS)
    this.#network = network
    this.#reserved = reserved
    // A failure is the first invocation's: unhandled, it would end the process.
    if (flag('init', init)) this.#make().catch(() => undefined)
  }

  /**
   * Runs one invocation: the stack, the work, then what was deferred.
   *
   * @throws KmsError `ERR_KMS_TIMEOUT` where the work threw because `signal` aborted; else what `create` or the
   * work threw
   */
  async run<T>(context: LambdaContext, work: (kms: KmsTools<S>) => T | Promise<T>): Promise<T> {
    const invocation = this.begin(context)
    try {
      return await work(await this.toolsOf(invocation))
    } catch (error) {
      throw invocation.explained(error)
    } finally {
      await invocation.end()
    }
  }

  /** Starts the clock of one invocation. The caller must call `end` of the result. */
  begin(context: LambdaContext): Invocation {
    return new Invocation(context, { marginMs: this.#marginMs, network: this.#network })
  }

  /** Returns what a handler gets. */
  async toolsOf({ signal, defer }: Invocation): Promise<KmsTools<S>> {
    return { ...(await this.#shared(signal)), signal, defer }
  }

  async #shared(signal: AbortSignal): Promise<S> {
    const making = this.#stack ?? this.#make()
    try {
      return await untilAborted(making, signal)
    } catch (error) {
      // Also when this invocation gave up waiting: what `create` waits for may never come.
      if (this.#stack === making && !this.#isMade) this.#stack = undefined
      throw error
    }
  }

  #make(): Promise<S> {
    const made = (async () => checked(await this.#create(), this.#reserved))()
    this.#stack = made
    this.#isMade = false
    made.then(
      () => {
        this.#isMade ||= this.#stack === made
      },
      () => undefined,
    )
    return made
  }
}

function checked<S extends KmsStack>(stack: S, reserved: readonly string[]): S {
  const { cipher } = Object(stack) as Partial<S>
  if (typeof cipher?.decryptMany !== 'function')
    throw wrongOption('create', 'a function that returns { cipher }')
  // Handlers get a copy, which has no members of a class.
  plainOptions(stack, 'the result of create')
  const taken = reserved.find((name) => name in stack)
  if (taken === undefined) return stack
  throw optionError('create', `must not return ${taken}: each invocation has its own`)
}
