import { Miniflare } from 'miniflare'
import { workerModule } from './worker-module.ts'

export const KEY_V1: string = Buffer.from(Array.from({ length: 32 }, (_, i) => i)).toString(
  'base64',
)
const OPERATIONS = ['encrypt', 'decrypt', 'rewrap', 'inspect']
const CONTEXT = { tenant: { prefix: 'tenant-a/' } }
const FULL = {
  operations: OPERATIONS,
  keys: ['default', 'pii', 'watched', 'gone'],
  context: CONTEXT,
}
const policy = (changes: object): object => ({ policy: { ...FULL, ...changes } })

/** The permissions of the app's bindings. */
const PROPS: Readonly<Record<string, object | undefined>> = {
  KMS: policy({}),
  NO_PROPS: undefined,
  OTHER_PROPS: { tenant: 'tenant-a/eu', operations: OPERATIONS },
  BROKEN: policy({ context: { tenant: { prefix: 'tenant-a' } } }),
  READER: policy({ operations: ['decrypt'] }),
  WRITER: policy({ operations: ['encrypt'] }),
  PII: policy({ keys: ['pii'] }),
  TWO_KEYS: policy({ context: { ...CONTEXT, zone: { exact: 'eu' } } }),
}

/** Two service Workers with one Durable Object and a secret each, and an app that binds the first in many ways. */
export async function cipherMiniflare(appFile: string): Promise<Miniflare> {
  const [service, app] = [
    await workerModule('./cipher-service.worker.ts'),
    await workerModule(appFile),
  ]
  const bound = (entrypoint: string, props: object | undefined, name = 'kms'): object => ({
    name,
    entrypoint,
    ...(props !== undefined && { props }),
  })
  const kms = (name: string, scriptName?: string): object => ({
    name,
    modules: [service],
    compatibilityDate: '2026-07-30',
    bindings: { EDGE_KMS_KEY_V1: KEY_V1 },
    secretsStoreSecrets: { SECRET: { store_id: 'store', secret_name: 'master' } },
    durableObjects: {
      STORE: {
        className: 'EdgeKmsStoreObject',
        useSQLite: true,
        ...(scriptName && { scriptName }),
      },
    },
  })
  const serviceBindings = {
    ...Object.fromEntries(
      Object.entries(PROPS).map(([name, props]) => [name, bound('Vault', props)]),
    ),
    SECOND: bound('Vault', PROPS['KMS'], 'kms-2'),
    SLOW: bound('Slow', PROPS['KMS']),
    DEFERRING: bound('Deferring', PROPS['KMS']),
    STORED: bound('Stored', PROPS['KMS']),
    WRONG: bound('Wrong', PROPS['KMS']),
    OTHER_SERVICE: { name: 'app' },
  }
  const workers = [
    { name: 'app', modules: [app], compatibilityDate: '2026-07-30', serviceBindings },
    kms('kms'),
    kms('kms-2', 'kms'),
  ]
  const miniflare = new Miniflare({ cf: false, workers } as ConstructorParameters<
    typeof Miniflare
  >[0])
  await miniflare.ready
  return miniflare
}

/** Runs a case of an app Worker, and returns its answer. */
export function caller(
  miniflare: Miniflare,
): <T>(name: string, parameters?: Record<string, string>) => Promise<T> {
  return async <T>(name: string, parameters: Record<string, string> = {}) => {
    const query = new URLSearchParams(parameters).toString()
    const answer = await miniflare.dispatchFetch(
      `http://localhost/${encodeURIComponent(name)}?${query}`,
    )
    if (!answer.ok) throw new Error(await answer.text())
    return (await answer.json()) as T
  }
}
