/**
 * AWS KMS by `fetch`, with credentials that refresh.
 *
 * @module
 */
export {
  assumeRole,
  type AssumeRoleOptions,
  assumeRoleWithWebIdentity,
  type AwsCredentials,
  awsCredentialsFromEnv,
  type AwsCredentialsOption,
  type AwsCredentialSource,
  type AwsSigner,
  type AwsSigningRequest,
  containerCredentials,
  type ContainerCredentialsOptions,
  type CredentialOptions,
  type StsOptions,
  type WebIdentityOptions,
} from '../../credentials/aws/index.ts'
export { awsKmsFromEnv, type AwsKmsFromEnvOptions } from './aws-kms-from-env.ts'
export { type AwsKeyLifecycleOptions, createAwsKeyLifecycle } from './create-aws-key-lifecycle.ts'
export { createAwsKms } from './create-aws-kms.ts'
export type { AwsKmsOptions } from './options.ts'
