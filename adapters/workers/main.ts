import { createKms, type KmsConfig } from '../../src/config/index.ts'
import {
  CachedKms,
  composeKms,
  EnvelopeCipher,
  type KeyManagementService,
  KmsError,
} from '../../src/index.ts'
import { KmsMetrics } from '../../src/observability/index.ts'
import { awsCredentialsFromEnv, createAwsKms } from '../../src/providers/aws-kms/index.ts'
import { EnvKeyProvider } from '../../src/providers/local/index.ts'
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
  const kms = composeKms(kmsOf(env), { observer: metrics })
  const keys = new CachedKms({ kms })
  return createGateway({
    cipher: new EnvelopeCipher({ keys }),
    kms,
    cacheStats: () => keys.stats(),
    metrics,
    kinds: ['stream', 'record'], // there is no data-key store
    hosts: hostsOf(env['EDGE_KMS_GATEWAY_HOSTS']),
  })
}

/**
 * What EDGE_KMS_CONFIG says, else AWS KMS if and only if EDGE_KMS_AWS_KEY_ID names a key: credentials
 * that happen to lie around must not decide where data keys are wrapped.
 */
function kmsOf(env: Env): KeyManagementService {
  const config = env['EDGE_KMS_CONFIG']
  if (typeof config === 'string' && config !== '') return configuredKms(config, env)
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

/** References to files are nothing here: a Worker has none. */
function configuredKms(json: string, env: Env): KeyManagementService {
  let config: KmsConfig
  try {
    config = JSON.parse(json) as KmsConfig
  } catch {
    // The parser's message quotes what it read.
    throw new KmsError('ERR_KMS_CONFIG', { message: 'EDGE_KMS_CONFIG is not JSON' })
  }
  return createKms(config, {
    resolve: (reference) => {
      const value = 'env' in reference ? env[reference.env] : undefined
      return typeof value === 'string' ? value : undefined
    },
  })
}

/** Names with commas between them, or `*`. Unset: this machine's names only. */
function hostsOf(list: unknown): readonly string[] | 'any' {
  if (typeof list !== 'string') return []
  if (list.trim() === '*') return 'any'
  return list.split(',').flatMap((name) => name.trim().toLowerCase() || [])
}

export default worker
