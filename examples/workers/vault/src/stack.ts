import { type EnvelopeCipher, type Stack, stackFromEnv } from 'edge-kms'
import { awsKmsFromEnv } from 'edge-kms/aws-kms'
import { localKmsFromEnv } from 'edge-kms/local'
import { sharedDataKeys } from 'edge-kms/shared-keys'
import { DurableObjectKeyValueStore, type StoreObjectNamespace } from 'edge-kms/workers'

/**
 * The bindings of the vault. The name is not `Env`: where `wrangler types` compiles this file for the app, `Env` is
 * the app's. The variables of the KMS are read by their names in `stackFromEnv`.
 */
export interface VaultEnv {
  readonly EDGE_KMS_STORE: StoreObjectNamespace
  readonly FILES: R2Bucket
}

let cipher: EnvelopeCipher | undefined // lives as long as the isolate, and its data keys with it

/** Returns the isolate's cipher. */
export function cipherOf(env: VaultEnv): EnvelopeCipher {
  cipher ??= stackOf(env).cipher
  return cipher
}

/** Returns a new stack: under an AWS key in production, under a local key in development. */
export function stackOf(env: VaultEnv): Stack {
  const store = new DurableObjectKeyValueStore({ namespace: env.EDGE_KMS_STORE })
  return stackFromEnv(env, {
    kms: [awsKmsFromEnv, localKmsFromEnv],
    resilience: 'production',
    circuitStore: store,
    // Trusted, because this Worker alone binds the Durable Object. Else give a storeAuthKey.
    shared: sharedDataKeys({ store, partition: 'vault', trustedStore: true }),
  })
}
