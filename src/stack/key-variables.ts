import { configError, nearest, variableNames, variableOf } from '../checks/index.ts'
import { localKeyNames } from '../kms/index.ts'

/** A variable that chooses a KMS, and what makes that KMS. */
export interface KeyVariable {
  readonly name: string
  readonly maker: string
}

/** The JSON of a whole configuration. */
export const CONFIG = 'EDGE_KMS_CONFIG'
const PREFIX = 'EDGE_KMS_'
const LOCAL = 'EDGE_KMS_KEY_V1'
const LOCAL_VERSION = /^EDGE_KMS_KEY_V[1-9]\d*$/

/** Every variable that chooses a KMS. */
export const KEY_VARIABLES: readonly KeyVariable[] = [
  { name: LOCAL, maker: 'localKmsFromEnv of edge-kms/local' },
  { name: 'EDGE_KMS_AWS_KEY_ID', maker: 'awsKmsFromEnv of edge-kms/aws-kms' },
  { name: 'EDGE_KMS_GCP_KEY_ID', maker: 'gcpKmsFromEnv of edge-kms/gcp-kms' },
  { name: 'EDGE_KMS_AZURE_KEY_ID', maker: 'azureKmsFromEnv of edge-kms/azure-key-vault' },
  { name: 'EDGE_KMS_VAULT_KEY_ID', maker: 'vaultKmsFromEnv of edge-kms/vault-transit' },
  { name: CONFIG, maker: 'anyKmsFromEnv of edge-kms/config' },
]

/** Other variables of this package, so that a name like theirs does not count as a mistake. */
const OTHERS = ['AWS_ENDPOINT', 'KEY_RETIRED', 'STATE_DIR', 'PARTITION', 'STORE_AUTH_KEY']

/**
 * Returns the variables that are set and choose a KMS, in the order of {@link KEY_VARIABLES}. Those that the JSON
 * of `EDGE_KMS_CONFIG` refers to belong to it, and choose nothing.
 *
 * @throws KmsError `ERR_KMS_CONFIG` for an empty or a misspelt variable
 */
export function chosenVariables(env: object): readonly string[] {
  const names = variableNames(env)
  const referred = variablesIn(variableOf(env, CONFIG))
  refuseMisspelt(env, names, referred)
  const local = localKeyNames(env).filter((name) => LOCAL_VERSION.test(name))
  const isSet = (name: string): boolean =>
    variableOf(env, name) !== undefined && !referred.has(name)
  return KEY_VARIABLES.flatMap(({ name }) => {
    if (name !== LOCAL) return isSet(name) ? name : []
    return local.find(isSet) ?? []
  })
}

/** Returns the vendor's variable that a variable belongs to: all local keys are one. */
export function familyOf(name: string): string {
  return LOCAL_VERSION.test(name) ? LOCAL : name
}

/** A key whose name is misspelt would vanish in silence, and another one be used in its place. */
function refuseMisspelt(
  env: object,
  names: readonly string[],
  referred: ReadonlySet<string>,
): void {
  const known = [...KEY_VARIABLES.map(({ name }) => name.slice(PREFIX.length)), ...OTHERS]
  for (const name of names) {
    const short = name.slice(PREFIX.length)
    const isOurs = name.startsWith(PREFIX) && !short.startsWith('GATEWAY_')
    if (!isOurs || known.includes(short) || LOCAL_VERSION.test(name) || referred.has(name)) continue
    // A name that is like that of a local key is meant for one.
    const like = nearest(short, known) ?? (short.startsWith('KEY') ? 'KEY_V1' : undefined)
    if (like === undefined || typeof Reflect.get(env, name) !== 'string') continue
    const shown = /^\w{1,64}$/.test(name) ? name : `a variable that begins with ${PREFIX}`
    throw configError(`unknown variable: ${shown}: did you mean ${PREFIX}${like}?`)
  }
}

/** Returns the names in `{ "env": "NAME" }`, anywhere in the JSON. A text that is not JSON is refused elsewhere. */
export function variablesIn(json: string | undefined): ReadonlySet<string> {
  const names = new Set<string>()
  if (json === undefined) return names
  try {
    JSON.parse(json, (key, value: unknown) => {
      if (key === 'env' && typeof value === 'string') names.add(value)
      return value
    })
  } catch {
    // The reader of the configuration reports it.
  }
  return names
}
