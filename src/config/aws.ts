import * as z from 'zod/mini'
import {
  assumeRole,
  type AssumeRoleOptions,
  assumeRoleWithWebIdentity,
  type AwsCredentials,
  type AwsCredentialsOption,
  type AwsKmsOptions,
  containerCredentials,
  type ContainerCredentialsOptions,
  createAwsKms,
  type WebIdentityOptions,
} from '../providers/aws-kms/index.ts'
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

interface StaticKeys<S> extends Plain<AwsCredentials, 'expiresAtMs', S> {
  readonly type: 'static'
}
interface Container<S> extends Plain<ContainerCredentialsOptions, 'authorizationToken', S> {
  readonly type: 'container'
  readonly authorizationToken?: S | undefined
}
interface WebIdentity<S> extends Plain<WebIdentityOptions, 'token', S> {
  readonly type: 'web-identity'
  /** Read again at each refresh. */
  readonly token: S
}
interface AssumeRole<S> extends Plain<AssumeRoleOptions, 'credentials', S> {
  readonly type: 'assume-role'
  readonly credentials: Credentials<S>
}
type Credentials<S> = StaticKeys<S> | Container<S> | WebIdentity<S> | AssumeRole<S>
type CheckedCredentials = Credentials<CheckedText>

/** Credentials of AWS in a configuration. */
export type AwsCredentialsConfig = Credentials<ConfigText>

interface Aws<S> extends SelfDescribed, Plain<AwsKmsOptions, 'credentials', S> {
  readonly provider: 'aws-kms'
  readonly credentials: Credentials<S>
}
type Checked = Aws<CheckedText>

/** A key of AWS KMS: `edge-kms/aws-kms`. */
export type AwsKmsConfig = Aws<ConfigText>

const endpoint = {
  endpoint: z.optional(text),
  fips: z.optional(flag),
  dualStack: z.optional(flag),
  allowHttpLoopback: z.optional(flag),
}
const role = {
  ...endpoint,
  region: text,
  roleArn: text,
  sessionName: z.optional(text),
  durationSeconds: z.optional(number),
  timeoutMs: z.optional(number),
}

export const awsCredentials: z.ZodMiniType<CheckedCredentials, AwsCredentialsConfig> =
  z.discriminatedUnion('type', [
    z.strictObject({
      type: z.literal('static'),
      accessKeyId: text,
      secretAccessKey: text,
      sessionToken: z.optional(text),
    } satisfies Shape<StaticKeys<CheckedText>>),
    z.strictObject({
      type: z.literal('container'),
      relativeUri: z.optional(text),
      fullUri: z.optional(text),
      authorizationToken: z.optional(text),
      timeoutMs: z.optional(number),
    } satisfies Shape<Container<CheckedText>>),
    z.strictObject({
      type: z.literal('web-identity'),
      ...role,
      token: text,
    } satisfies Shape<WebIdentity<CheckedText>>),
    z.strictObject({
      type: z.literal('assume-role'),
      ...role,
      credentials: z.lazy(() => awsCredentials),
      externalId: z.optional(text),
      sourceIdentity: z.optional(text),
      tags: z.optional(map),
    } satisfies Shape<AssumeRole<CheckedText>>),
  ])

export const awsSchema: Variant<Checked, AwsKmsConfig> = z.strictObject({
  ...endpoint,
  ...selfDescribed,
  provider: z.literal('aws-kms'),
  keyId: text,
  region: z.optional(text),
  credentials: awsCredentials,
  replicaRegions: z.optional(texts),
  grantTokens: z.optional(texts),
  usage: z.optional(usage),
  healthContext: z.optional(map),
  timeoutMs: z.optional(number),
  ...browserRule,
} satisfies Shape<Checked>)

export function makerOfAws(given: Checked, resolving: Resolving): KmsMaker {
  const { credentials: from, ...rest } = given
  const { provider: _provider, $schema: _schema, ...options } = resolving.all(rest, '')
  const credentials = awsCredentialsOf(from, resolving, 'credentials')
  const { ports, signing } = resolving
  return {
    keyName: options.keyId,
    make: (keyId = options.keyId) =>
      createAwsKms({ ...options, ...ports, ...signing, keyId, credentials }),
  }
}

/** Credentials as the providers take them; GCP and Vault take AWS's too. */
export function awsCredentialsOf(
  config: CheckedCredentials,
  resolving: Resolving,
  path: string,
): AwsCredentialsOption {
  return resolving.within(path, () => make(config, resolving, path))
}

function make(
  config: CheckedCredentials,
  resolving: Resolving,
  path: string,
): AwsCredentialsOption {
  const { ports, signing } = resolving
  switch (config.type) {
    case 'static': {
      const { type: _type, ...keys } = resolving.all(config, path)
      return keys
    }
    case 'container': {
      const { authorizationToken: token, ...rest } = config
      const { type: _type, ...options } = resolving.all(rest, path)
      const authorizationToken =
        token === undefined ? undefined : resolving.later(token, `${path}.authorizationToken`)
      const proof = authorizationToken === undefined ? {} : { authorizationToken }
      return containerCredentials({ ...options, ...proof, ...ports })
    }
    case 'web-identity': {
      const { token, ...rest } = config
      const { type: _type, ...options } = resolving.all(rest, path)
      return assumeRoleWithWebIdentity({
        ...options,
        ...ports,
        token: resolving.later(token, `${path}.token`),
      })
    }
    case 'assume-role': {
      const { credentials, ...rest } = config
      const { type: _type, ...options } = resolving.all(rest, path)
      return assumeRole({
        ...options,
        ...ports,
        ...signing,
        credentials: awsCredentialsOf(credentials, resolving, `${path}.credentials`),
      })
    }
  }
}
