import * as z from 'zod/mini'
import {
  createGcpKms,
  type GcpCredentialsOption,
  gcpImpersonation,
  type GcpImpersonationOptions,
  type GcpKmsOptions,
  gcpMetadataServer,
  type GcpMetadataServerOptions,
  gcpServiceAccount,
  type GcpServiceAccountOptions,
  gcpWorkloadIdentity,
  gcpWorkloadIdentityFromAws,
  type GcpWorkloadIdentityFromAwsOptions,
  type GcpWorkloadIdentityOptions,
} from '../providers/gcp-kms/index.ts'
import { awsCredentials, type AwsCredentialsConfig, awsCredentialsOf } from './aws.ts'
import type { CheckedText, ConfigText, KmsMaker, Plain } from './references.ts'
import type { Resolving } from './resolving.ts'
import {
  browserRule,
  flag,
  number,
  type Shape,
  text,
  texts,
  usage,
  type Variant,
  type SelfDescribed,
  selfDescribed,
} from './schemas.ts'

interface ServiceAccount<S> extends Plain<GcpServiceAccountOptions, 'key', S> {
  readonly type: 'service-account'
  /** The text of the key file. */
  readonly key: S
}
interface MetadataServer<S> extends Plain<GcpMetadataServerOptions, never, S> {
  readonly type: 'metadata-server'
}
interface WorkloadIdentity<S> extends Plain<GcpWorkloadIdentityOptions, 'token', S> {
  readonly type: 'workload-identity'
  /** Read again at each refresh. */
  readonly token: S
}
interface FromAws<S, A> extends Plain<GcpWorkloadIdentityFromAwsOptions, 'credentials', S> {
  readonly type: 'workload-identity-from-aws'
  readonly credentials: A
}
interface Impersonation<S, A> extends Plain<GcpImpersonationOptions, 'credentials', S> {
  readonly type: 'impersonation'
  readonly credentials: Credentials<S, A>
}
type Credentials<S, A> =
  ServiceAccount<S> | MetadataServer<S> | WorkloadIdentity<S> | FromAws<S, A> | Impersonation<S, A>

type CheckedAws = z.output<typeof awsCredentials>
type CheckedCredentials = Credentials<CheckedText, CheckedAws>

/** Credentials of Google Cloud in a configuration. */
export type GcpCredentialsConfig = Credentials<ConfigText, AwsCredentialsConfig>

interface Gcp<S, A> extends SelfDescribed, Plain<GcpKmsOptions, 'credentials', S> {
  readonly provider: 'gcp-kms'
  readonly credentials: Credentials<S, A>
}
type Checked = Gcp<CheckedText, CheckedAws>

/** A key of Google Cloud KMS: `edge-kms/gcp-kms`. */
export type GcpKmsConfig = Gcp<ConfigText, AwsCredentialsConfig>

const place = {
  endpoint: z.optional(text),
  allowHttpLoopback: z.optional(flag),
  timeoutMs: z.optional(number),
}
const federation = { ...place, audience: text, scope: z.optional(text) }

const credentialsSchema: z.ZodMiniType<CheckedCredentials, GcpCredentialsConfig> =
  z.discriminatedUnion('type', [
    z.strictObject({
      type: z.literal('service-account'),
      key: text,
      audience: z.optional(text),
      scope: z.optional(text),
    } satisfies Shape<ServiceAccount<CheckedText>>),
    z.strictObject({
      type: z.literal('metadata-server'),
      serviceAccount: z.optional(text),
      host: z.optional(text),
      timeoutMs: z.optional(number),
    } satisfies Shape<MetadataServer<CheckedText>>),
    z.strictObject({
      type: z.literal('workload-identity'),
      ...federation,
      token: text,
    } satisfies Shape<WorkloadIdentity<CheckedText>>),
    z.strictObject({
      type: z.literal('workload-identity-from-aws'),
      ...federation,
      region: text,
      credentials: awsCredentials,
    } satisfies Shape<FromAws<CheckedText, CheckedAws>>),
    z.strictObject({
      ...place,
      type: z.literal('impersonation'),
      serviceAccount: text,
      credentials: z.lazy(() => credentialsSchema),
      scopes: z.optional(texts),
      lifetimeSeconds: z.optional(number),
      delegates: z.optional(texts),
    } satisfies Shape<Impersonation<CheckedText, CheckedAws>>),
  ])

export const gcpSchema: Variant<Checked, GcpKmsConfig> = z.strictObject({
  ...place,
  ...selfDescribed,
  provider: z.literal('gcp-kms'),
  keyName: text,
  credentials: credentialsSchema,
  randomBytes: z.optional(z.enum(['local', 'hsm'])),
  usage: z.optional(usage),
  ...browserRule,
} satisfies Shape<Checked>)

export function makerOfGcp(given: Checked, resolving: Resolving): KmsMaker {
  const { credentials: from, ...rest } = given
  const { provider: _provider, $schema: _schema, ...options } = resolving.all(rest, '')
  const credentials = credentialsOf(from, resolving, 'credentials')
  const { ports } = resolving
  return {
    keyName: options.keyName,
    make: (keyName = options.keyName) =>
      createGcpKms({ ...options, ...ports, keyName, credentials }),
  }
}

function credentialsOf(
  config: CheckedCredentials,
  resolving: Resolving,
  path: string,
): GcpCredentialsOption {
  return resolving.within(path, () => make(config, resolving, path))
}

function make(
  config: CheckedCredentials,
  resolving: Resolving,
  path: string,
): GcpCredentialsOption {
  const { ports, signing } = resolving
  switch (config.type) {
    case 'service-account': {
      const { type: _type, ...options } = resolving.all(config, path)
      return gcpServiceAccount({ ...options, ...ports })
    }
    case 'metadata-server': {
      const { type: _type, ...options } = resolving.all(config, path)
      return gcpMetadataServer({ ...options, ...ports })
    }
    case 'workload-identity': {
      const { token, ...rest } = config
      const { type: _type, ...options } = resolving.all(rest, path)
      const later = resolving.later(token, `${path}.token`)
      return gcpWorkloadIdentity({ ...options, ...ports, token: later })
    }
    case 'workload-identity-from-aws': {
      const { credentials: aws, ...rest } = config
      const { type: _type, ...options } = resolving.all(rest, path)
      const credentials = awsCredentialsOf(aws, resolving, `${path}.credentials`)
      return gcpWorkloadIdentityFromAws({ ...options, ...ports, ...signing, credentials })
    }
    case 'impersonation': {
      const { credentials: parent, ...rest } = config
      const { type: _type, ...options } = resolving.all(rest, path)
      const credentials = credentialsOf(parent, resolving, `${path}.credentials`)
      return gcpImpersonation({ ...options, ...ports, credentials })
    }
  }
}
