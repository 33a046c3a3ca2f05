export {
  assumeRole,
  type AssumeRoleOptions,
  assumeRoleWithWebIdentity,
  type WebIdentityOptions,
} from './assume-role.ts'
export { type AwsCall, AwsClient } from './client.ts'
export { containerCredentials, type ContainerCredentialsOptions } from './container.ts'
export type {
  AwsCredentials,
  AwsCredentialsOption,
  AwsCredentialSource,
  CredentialOptions,
} from './credentials.ts'
export type { AwsErrorRow } from './errors.ts'
export { awsEndpoint, checkRegion, type EndpointOptions, partitionOf } from './partitions.ts'
export { awsCredentialsOfEnv, type AwsEnvOptions } from './from-env.ts'
export type { AwsSigner, AwsSigningRequest } from '../../ports/index.ts'
export { createAwsSigner, signerOf } from './signer.ts'
export { awsCredentialsFromEnv, toCredentialSource } from './sources.ts'
export type { StsOptions } from './sts.ts'
