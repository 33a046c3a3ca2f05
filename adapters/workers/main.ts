import {
  createKms,
  type CreateKmsOptions,
  createResilientKms,
  type KmsConfig,
  type ResilientKms,
  type ResilientKmsConfig,
} from '../../src/config/index.ts'
import {
  CachedKms,
  composeKms,
  EnvelopeCipher,
  type KeyManagementService,
  KmsError,
  type Observer,
} from '../../src/index.ts'
import { KmsMetrics } from '../../src/observability/index.ts'
import { awsCredentialsFromEnv, createAwsKms } from '../../src/providers/aws-kms/index.ts'
import { EnvKeyProvider } from '../../src/providers/local/index.ts'
import { gatewayOptionsFromEnv } from '../gateway/env-options.ts'
import { createGateway, problemOf } from '../gateway/index.ts'

type Gateway = ReturnType<typeof createGateway>
type Env = Readonly<Record<string, unknown>>
type WorkerContext = Parameters<Gateway['fetch']>[2]

/** One gateway for each isolate, made by its first request: the bindings are not there before. */
let gateway: Gateway | undefined

const worker: {
  fetch(request: Request, env: Env, context: WorkerContext): Response | Promise<Response>
} = {
  fetch(request, env, context) {
    try {
      gateway ??= gatewayOf(env)
    } catch (error) {
      return problemOf(error)
    }
    return gateway.fetch(request, env, context)
  },
}

/** @throws KmsError `ERR_KMS_CONFIG` */
function gatewayOf(env: Env): Gateway {
  const metrics = new KmsMetrics()
  const { kms, keys } = stackOf(env, metrics)
  return createGateway({
    cipher: new EnvelopeCipher({ keys }),
    kms,
    cacheStats: () => keys.stats(),
    metrics,
    kinds: ['stream', 'record'], // there is no data-key store
    ...gatewayOptionsFromEnv(env),
  })
}

/** Returns what EDGE_KMS_CONFIG describes: a whole stack, or one KMS with the defaults around it. */
function stackOf(env: Env, observer: Observer): ResilientKms {
  const config = configOf(env)
  // References to files are nothing here: a Worker has none.
  const resolve: CreateKmsOptions['resolve'] = (reference) => {
    const value = 'env' in reference ? env[reference.env] : undefined
    return typeof value === 'string' ? value : undefined
  }
  if (Object.hasOwn(Object(config) as object, 'kms'))
    return createResilientKms(config as ResilientKmsConfig, { resolve, observer })
  const one = config === undefined ? kmsOf(env) : createKms(config as KmsConfig, { resolve })
  const kms = composeKms(one, { observer })
  return { kms, keys: new CachedKms({ kms }) }
}

/**
 * AWS KMS if and only if EDGE_KMS_AWS_KEY_ID names a key: credentials that happen to lie around must
 * not decide where data keys are wrapped.
 */
function kmsOf(env: Env): KeyManagementService {
  const keyId = env['EDGE_KMS_AWS_KEY_ID']
  if (typeof keyId !== 'string' || keyId === '') return new EnvKeyProvider(env)
  const region = env['AWS_REGION']
  const endpoint = env['EDGE_KMS_AWS_ENDPOINT']
  return createAwsKms({
    keyId,
    credentials: awsCredentialsFromEnv(env),
    ...(typeof region === 'string' && region !== '' && { region }),
    ...(typeof endpoint === 'string' && endpoint !== '' && { endpoint, allowHttpLoopback: true }),
  })
}

/** The JSON of EDGE_KMS_CONFIG; `undefined` where it is not set. */
function configOf(env: Env): unknown {
  const json = env['EDGE_KMS_CONFIG']
  if (typeof json !== 'string' || json === '') return undefined
  try {
    return JSON.parse(json) as unknown
  } catch {
    // The parser's message quotes what it read.
    throw new KmsError('ERR_KMS_CONFIG', {
      message: 'EDGE_KMS_CONFIG must be JSON, got other text',
    })
  }
}

export default worker
