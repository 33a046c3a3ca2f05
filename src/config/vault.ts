import * as z from 'zod/mini'
import {
  createVaultTransitKms,
  vaultAppRole,
  type VaultAppRoleOptions,
  type VaultLogin as Login,
  vaultAwsIam,
  type VaultAwsIamOptions,
  vaultJwt,
  type VaultJwtOptions,
  vaultKubernetes,
  vaultToken,
  type VaultTransitKmsOptions,
} from '../providers/vault-transit/index.ts'
import { awsCredentials, type AwsCredentialsConfig, awsCredentialsOf } from './aws.ts'
import type { CheckedText, ConfigText, KmsMaker, Plain } from './references.ts'
import type { Resolving } from './resolving.ts'
import {
  browserRule,
  flag,
  map,
  number,
  type Shape,
  text,
  texts,
  usage,
  type Variant,
  type SelfDescribed,
  selfDescribed,
} from './schemas.ts'

interface Token<S> {
  readonly type: 'token'
  /** Read again when the one before is refused or at its end. */
  readonly token: S
  /** Also renew it, for periodic tokens; `false` by default. */
  readonly renew?: boolean | undefined
}
interface AppRole<S> extends Plain<VaultAppRoleOptions, 'secretId', S> {
  readonly type: 'app-role'
  /** Read again at each login. */
  readonly secretId?: S | undefined
}
interface Jwt<S> extends Plain<VaultJwtOptions, 'jwt', S> {
  readonly type: 'jwt'
  /** Read again at each login. */
  readonly jwt: S
}
interface Kubernetes<S> extends Plain<VaultJwtOptions, 'jwt' | 'role', S> {
  readonly type: 'kubernetes'
  readonly role: S
  /** The service account's token, read again at each login. */
  readonly jwt: S
}
interface AwsIam<S, A> extends Plain<VaultAwsIamOptions, 'credentials', S> {
  readonly type: 'aws-iam'
  readonly credentials: A
}
type Auth<S, A> = Token<S> | AppRole<S> | Jwt<S> | Kubernetes<S> | AwsIam<S, A>

type CheckedAws = z.output<typeof awsCredentials>

/** A login to Vault, in a configuration. */
export type VaultAuth = Auth<ConfigText, AwsCredentialsConfig>

interface Transit<S, A> extends SelfDescribed, Plain<VaultTransitKmsOptions, 'auth', S> {
  readonly provider: 'vault-transit'
  readonly auth: Auth<S, A>
}
type Checked = Transit<CheckedText, CheckedAws>

/** A key of transit of Vault or OpenBao: `edge-kms/vault-transit`. */
export type VaultTransitConfig = Transit<ConfigText, AwsCredentialsConfig>

const mount = { mount: z.optional(text), namespace: z.optional(text) }

const auth = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('token'),
    token: text,
    renew: z.optional(flag),
  } satisfies Shape<Token<CheckedText>>),
  z.strictObject({
    type: z.literal('app-role'),
    ...mount,
    roleId: text,
    secretId: z.optional(text),
  } satisfies Shape<AppRole<CheckedText>>),
  z.strictObject({
    type: z.literal('jwt'),
    ...mount,
    role: z.optional(text),
    jwt: text,
  } satisfies Shape<Jwt<CheckedText>>),
  z.strictObject({
    type: z.literal('kubernetes'),
    ...mount,
    role: text,
    jwt: text,
  } satisfies Shape<Kubernetes<CheckedText>>),
  z.strictObject({
    type: z.literal('aws-iam'),
    ...mount,
    role: z.optional(text),
    region: z.optional(text),
    serverId: z.optional(text),
    credentials: awsCredentials,
  } satisfies Shape<AwsIam<CheckedText, CheckedAws>>),
])

export const vaultSchema: Variant<Checked, VaultTransitConfig> = z.strictObject({
  ...selfDescribed,
  provider: z.literal('vault-transit'),
  endpoint: text,
  namespace: z.optional(text),
  standbyOrigins: z.optional(texts),
  timeoutMs: z.optional(number),
  allowHttpLoopback: z.optional(flag),
  key: text,
  mount: z.optional(text),
  auth,
  kekId: z.optional(text),
  bindBy: z.optional(z.enum(['associated-data', 'derivation'])),
  derived: z.optional(flag),
  usage: z.optional(usage),
  healthContext: z.optional(map),
  ...browserRule,
} satisfies Shape<Checked>)

export function makerOfVault(given: Checked, resolving: Resolving): KmsMaker {
  const { auth: login, ...rest } = given
  const { provider: _provider, $schema: _schema, ...options } = resolving.all(rest, '')
  const auth = resolving.within('auth', () => loginOf(login, resolving))
  const { ports } = resolving
  return {
    keyName: options.key,
    make: (key = options.key) => createVaultTransitKms({ ...options, ...ports, key, auth }),
  }
}

function loginOf(config: Auth<CheckedText, CheckedAws>, resolving: Resolving): Login {
  const path = 'auth'
  switch (config.type) {
    case 'token': {
      const later = resolving.later(config.token, `${path}.token`)
      return vaultToken(later, config.renew === undefined ? {} : { renew: config.renew })
    }
    case 'app-role': {
      const { secretId, ...rest } = config
      const { type: _type, ...options } = resolving.all(rest, path)
      if (secretId === undefined) return vaultAppRole(options)
      return vaultAppRole({ ...options, secretId: resolving.later(secretId, `${path}.secretId`) })
    }
    case 'jwt': {
      const { jwt, ...rest } = config
      const { type: _type, ...options } = resolving.all(rest, path)
      return vaultJwt({ ...options, jwt: resolving.later(jwt, `${path}.jwt`) })
    }
    case 'kubernetes': {
      const { jwt, ...rest } = config
      const { type: _type, ...options } = resolving.all(rest, path)
      return vaultKubernetes({ ...options, jwt: resolving.later(jwt, `${path}.jwt`) })
    }
    case 'aws-iam': {
      const { credentials: aws, ...rest } = config
      const { type: _type, ...options } = resolving.all(rest, path)
      const credentials = awsCredentialsOf(aws, resolving, `${path}.credentials`)
      return vaultAwsIam({ ...options, ...resolving.signing, credentials })
    }
  }
}
