import {
  AwsClient,
  type AwsCredentialsOption,
  awsEndpoint,
  type AwsSigner,
  checkRegion,
  type EndpointOptions,
  signerOf,
  toCredentialSource,
} from '../credentials/aws/index.ts'
import { configError, plainOptions, wrongOption } from '../checks/index.ts'
import { isKmsError } from '../errors.ts'
import { type HttpResponse, type JsonObject, parseJsonObject, Transport } from '../http/index.ts'
import type { Runtime } from '../ports/index.ts'
import { webNetwork, webRuntime } from '../runtime/index.ts'
import { checkPrefix } from './checks.ts'
import { CONDITION_FAILED, DYNAMO_DB_ERRORS, DYNAMO_DB_FAULTS } from './dynamo-db-errors.ts'
import { type StoreCallOptions, StoreCalls } from './store-calls.ts'

/** Options of every store on DynamoDB. */
export interface DynamoDbOptions extends EndpointOptions, StoreCallOptions {
  /** Its name: 3 to 255 letters, digits and `_.-`. Its keys are `pk` and `sk`, both strings. */
  readonly table: string
  /** Its Region, e.g. `eu-central-1`. */
  readonly region: string
  /** As those of `createAwsKms`, e.g. `awsCredentialsFromEnv(env)` of `edge-kms/aws-kms`. */
  readonly credentials: AwsCredentialsOption
  /** Prefix of every `pk`, up to 128 characters; `edge-kms:` by default. */
  readonly prefix?: string
  readonly runtime?: Runtime
  /** Signs the requests; by default the network's `awsSigner`, else aws4fetch. */
  readonly signer?: AwsSigner
}

/** An attribute as JSON carries it. */
export type Attribute = { readonly S: string } | { readonly N: string } | { readonly B: string }

/** Attributes by their names. */
export type Attributes = Readonly<Record<string, Attribute>>

const TABLE = /^[\w.-]{3,255}$/
/** Longer than any call may take: the store's own deadline comes first. */
const TIMEOUT_MS = 60_000

/** One table, by `fetch` alone. */
export class DynamoDbTable {
  readonly prefix: string
  readonly runtime: Runtime
  readonly calls: StoreCalls
  readonly #name: string
  readonly #region: string
  readonly #client: AwsClient
  readonly #faults: Readonly<Record<string, string>>

  /**
   * @param faults - by the names of AWS's errors; by default those of the stores' own tables
   * @throws KmsError `ERR_KMS_CONFIG`
   */
  constructor(
    options: DynamoDbOptions,
    faults: Readonly<Record<string, string>> = DYNAMO_DB_FAULTS,
  ) {
    const { table, region, credentials, prefix = 'edge-kms:', ...more } = plainOptions(options)
    const { runtime = webRuntime, network = webNetwork, signer, ...place } = more
    const { endpoint, fips, dualStack, allowHttpLoopback, ...common } = place
    if (typeof table !== 'string' || !TABLE.test(table)) {
      throw wrongOption('table', '3 to 255 letters, digits and `_.-`', table)
    }
    this.#name = table
    this.#faults = faults
    this.#region = checkRegion(region)
    this.prefix = checkPrefix(prefix)
    this.runtime = runtime
    this.calls = new StoreCalls('dynamodb', { ...common, network })
    this.#client = new AwsClient({
      provider: 'dynamodb',
      service: 'dynamodb',
      region: this.#region,
      endpoint: awsEndpoint('dynamodb', region, { endpoint, fips, dualStack, allowHttpLoopback }),
      credentials: toCredentialSource(credentials, { runtime, network }),
      transport: new Transport({ network, timeoutMs: TIMEOUT_MS }),
      runtime,
      signer: signerOf(signer, network),
      errors: DYNAMO_DB_ERRORS,
    })
  }

  /**
   * One operation on this table.
   *
   * @throws KmsError `ERR_STORE_UNAVAILABLE`; `ERR_KMS_CONFIG` where the table is missing or another
   */
  ask(
    operation: string,
    action: string,
    input: JsonObject,
    signal: AbortSignal | undefined,
  ): Promise<JsonObject> {
    return this.calls.run(operation, signal, async (until) => {
      const answer = parseJsonObject((await this.#send(operation, action, input, until)).body)
      if (answer === undefined) throw this.calls.unreadable(operation)
      return answer
    })
  }

  /**
   * Writes an item whole, where the condition holds.
   *
   * @returns whether it held
   * @throws KmsError as {@link ask}
   */
  writeIf(
    operation: string,
    item: Attributes,
    condition: JsonObject,
    signal: AbortSignal | undefined,
  ): Promise<boolean> {
    return this.askIf(operation, 'PutItem', { Item: item, ...condition }, signal)
  }

  /**
   * One conditional operation on this table.
   *
   * @returns whether its condition held
   * @throws KmsError as {@link ask}
   */
  askIf(
    operation: string,
    action: string,
    input: JsonObject,
    signal: AbortSignal | undefined,
  ): Promise<boolean> {
    return this.calls.run(operation, signal, async (until) => {
      const response = await this.#send(operation, action, input, until, CONDITION_FAILED)
      return response.status === 200
    })
  }

  /** The attributes of the item under this key, as they are now everywhere; `undefined` for none. */
  async read(
    operation: string,
    key: Attributes,
    signal: AbortSignal | undefined,
  ): Promise<JsonObject | undefined> {
    const answer = await this.ask(operation, 'GetItem', { Key: key, ConsistentRead: true }, signal)
    const item = answer['Item']
    if (item === undefined) return undefined
    if (typeof item !== 'object' || item === null) throw this.calls.unreadable(operation)
    return item as JsonObject
  }

  async #send(
    operation: string,
    action: string,
    input: JsonObject,
    signal: AbortSignal,
    hopesFor?: string,
  ): Promise<HttpResponse> {
    const headers = {
      'content-type': 'application/x-amz-json-1.0',
      'x-amz-target': `DynamoDB_20120810.${action}`,
    }
    const body = JSON.stringify({ TableName: this.#name, ...input })
    const call = { operation, headers, body, signal, ...(hopesFor !== undefined && { hopesFor }) }
    try {
      return await this.#client.call(call)
    } catch (error) {
      throw this.#faultOf(error) ?? error
    }
  }

  /** Returns the error of a wrong table with its name and what to do, instead of AWS's name alone. */
  #faultOf(error: unknown): Error | undefined {
    if (!isKmsError(error, 'ERR_KMS_CONFIG')) return undefined
    const name = /AWS answered (\w+)/.exec(error.message)?.[1] ?? ''
    const fault = this.#faults[name]
    if (fault === undefined) return undefined
    return configError(`table ${this.#name} in ${this.#region} ${fault} (${name})`)
  }
}

/**
 * An attribute of an item that is not trusted.
 *
 * @returns its text, or `undefined` where it is of another type
 */
export function attributeOf(item: unknown, name: string, type: 'S' | 'N' | 'B'): unknown {
  const attribute = Object(item) as Readonly<Record<string, unknown>>
  return (Object(attribute[name]) as Readonly<Record<string, unknown>>)[type]
}
