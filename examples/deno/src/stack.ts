import type { EnvelopeCipher } from 'edge-kms'
import { awsKmsFromEnv } from 'edge-kms/aws-kms'
import { denoKvStores, type OpenDenoKv, stackOnDeno } from 'edge-kms/deno'
import { localKmsFromEnv } from 'edge-kms/local'

/**
 * Returns a cipher over AWS KMS or a local key, whichever the environment names. All processes on this database share
 * data keys and circuits. It is trusted: this app alone writes it. If others can, give `storeAuthKey` instead.
 */
export function openCipher(kv: OpenDenoKv): EnvelopeCipher {
  const stores = denoKvStores({ kv, partition: 'notes', trustedStore: true })
  return stackOnDeno({ kms: [awsKmsFromEnv, localKmsFromEnv], ...stores }).cipher
}
