import * as z from 'zod/mini'
import {
  type AzureAppServiceOptions,
  azureAppServiceIdentity,
  azureClientCertificate,
  type AzureClientCertificateOptions,
  azureClientSecret,
  type AzureClientSecretOptions,
  type AzureCredentialSource,
  azureFederatedToken,
  type AzureFederatedTokenOptions,
  type AzureIdentityOptions,
  type AzureKeyVaultOptions,
  azureManagedIdentity,
  createAzureKeyVaultKms,
} from '../providers/azure-key-vault/index.ts'
import type { CheckedText, ConfigText, KmsMaker, Plain } from './references.ts'
import type { Resolving } from './resolving.ts'
import {
  browserRule,
  flag,
  number,
  type Shape,
  text,
  usage,
  type Variant,
  type SelfDescribed,
  selfDescribed,
} from './schemas.ts'

interface ClientSecret<S> extends Plain<AzureClientSecretOptions, never, S> {
  readonly type: 'client-secret'
}
interface ClientCertificate<S> extends Plain<AzureClientCertificateOptions, never, S> {
  readonly type: 'client-certificate'
}
interface FederatedToken<S> extends Plain<AzureFederatedTokenOptions, 'token', S> {
  readonly type: 'federated-token'
  /** Read again at each renewal. */
  readonly token: S
}
interface ManagedIdentity<S> extends Plain<AzureIdentityOptions, never, S> {
  readonly type: 'managed-identity'
}
interface AppService<S> extends Plain<AzureAppServiceOptions, never, S> {
  readonly type: 'app-service'
}
type Credentials<S> =
  ClientSecret<S> | ClientCertificate<S> | FederatedToken<S> | ManagedIdentity<S> | AppService<S>

/** Credentials of Azure in a configuration. */
export type AzureCredentialsConfig = Credentials<ConfigText>

interface Azure<S> extends SelfDescribed, Plain<AzureKeyVaultOptions, 'credentials', S> {
  readonly provider: 'azure-key-vault'
  readonly credentials: Credentials<S>
}
type Checked = Azure<CheckedText>

/** A key of Azure Key Vault or Managed HSM: `edge-kms/azure-key-vault`. */
export type AzureKeyVaultConfig = Azure<ConfigText>

const entra = {
  tenantId: text,
  clientId: text,
  cloud: z.optional(z.enum(['public', 'china', 'us-government'])),
  authority: z.optional(text),
  allowHttpLoopback: z.optional(flag),
  timeoutMs: z.optional(number),
}
const identity = {
  clientId: z.optional(text),
  objectId: z.optional(text),
  resourceId: z.optional(text),
  timeoutMs: z.optional(number),
}

const credentials = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('client-secret'),
    ...entra,
    clientSecret: text,
  } satisfies Shape<ClientSecret<CheckedText>>),
  z.strictObject({
    type: z.literal('client-certificate'),
    ...entra,
    certificate: text,
    privateKey: text,
  } satisfies Shape<ClientCertificate<CheckedText>>),
  z.strictObject({
    type: z.literal('federated-token'),
    ...entra,
    token: text,
  } satisfies Shape<FederatedToken<CheckedText>>),
  z.strictObject({
    type: z.literal('managed-identity'),
    ...identity,
  } satisfies Shape<ManagedIdentity<CheckedText>>),
  z.strictObject({
    type: z.literal('app-service'),
    ...identity,
    endpoint: text,
    header: text,
  } satisfies Shape<AppService<CheckedText>>),
])

export const azureSchema: Variant<Checked, AzureKeyVaultConfig> = z.strictObject({
  ...selfDescribed,
  provider: z.literal('azure-key-vault'),
  keyId: text,
  resource: z.optional(text),
  credentials,
  algorithm: z.optional(z.enum(['RSA-OAEP-256', 'A256KW'])),
  usage: z.optional(usage),
  timeoutMs: z.optional(number),
  allowHttpLoopback: z.optional(flag),
  ...browserRule,
} satisfies Shape<Checked>)

export function makerOfAzure(given: Checked, resolving: Resolving): KmsMaker {
  const { credentials: from, ...rest } = given
  const { provider: _provider, $schema: _schema, ...options } = resolving.all(rest, '')
  const credentials = resolving.within('credentials', () => credentialsOf(from, resolving))
  const { ports } = resolving
  return {
    keyName: options.keyId,
    make: (keyId = options.keyId) =>
      createAzureKeyVaultKms({ ...options, ...ports, keyId, credentials }),
  }
}

function credentialsOf(
  config: Credentials<CheckedText>,
  resolving: Resolving,
): AzureCredentialSource {
  const { ports } = resolving
  const path = 'credentials'
  switch (config.type) {
    case 'client-secret': {
      const { type: _type, ...options } = resolving.all(config, path)
      return azureClientSecret({ ...options, ...ports })
    }
    case 'client-certificate': {
      const { type: _type, ...options } = resolving.all(config, path)
      return azureClientCertificate({ ...options, ...ports })
    }
    case 'federated-token': {
      const { token, ...rest } = config
      const { type: _type, ...options } = resolving.all(rest, path)
      const later = resolving.later(token, `${path}.token`)
      return azureFederatedToken({ ...options, ...ports, token: later })
    }
    case 'managed-identity': {
      const { type: _type, ...options } = resolving.all(config, path)
      return azureManagedIdentity({ ...options, ...ports })
    }
    case 'app-service': {
      const { type: _type, ...options } = resolving.all(config, path)
      return azureAppServiceIdentity({ ...options, ...ports })
    }
  }
}
