import { type Stack, stackFromEnv } from 'edge-kms'
import { awsKmsFromEnv } from 'edge-kms/aws-kms'
import { localKmsFromEnv } from 'edge-kms/local'
import {
  createRotationStep,
  dataKeySource,
  type RecordSource,
  type RotationStep,
} from 'edge-kms/rotation'
import { d1Source, DurableObjectDataKeyStore } from 'edge-kms/workers'
import type { Env } from './env.ts'

/** Returns a stack: under an AWS key in production, under a local key in development. */
export function stackOf(env: Env): Stack {
  return stackFromEnv(env, {
    kms: [awsKmsFromEnv, localKmsFromEnv],
    dataKeyStore: new DurableObjectDataKeyStore({ namespace: env.DATA_KEYS }),
  })
}

/** Returns what is rotated. Each source is a rotation of its own. */
export function sourcesOf(env: Env): readonly RecordSource[] {
  const dataKeys = new DurableObjectDataKeyStore({ namespace: env.DATA_KEYS })
  return [
    dataKeySource(dataKeys),
    d1Source({ database: env.DB, table: 'notes', key: ['id'], values: ['title', 'body'] }),
  ]
}

// Live as long as the isolate.
let kms: Stack['kms'] | undefined
const steps = new Map<string, RotationStep>()

/** Returns the step of a source. */
export function stepOf(env: Env, name: string): RotationStep {
  const known = steps.get(name)
  if (known !== undefined) return known
  const source = sourcesOf(env).find((one) => one.name === name)
  if (source === undefined) throw new Error(`there is no source ${name}`)
  kms ??= stackOf(env).kms
  const step = createRotationStep({
    kms,
    sources: [source],
    rate: { requestsPerSecond: Number(env.KMS_REQUESTS_PER_SECOND) },
    failures: (failures) => {
      for (const { id, field, code } of failures) console.error(name, id, field, code)
    },
  })
  steps.set(name, step)
  return step
}
