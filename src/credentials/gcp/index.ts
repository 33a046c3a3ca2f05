export { type GcpCall, GcpClient } from './client.ts'
export type { GcpAccessToken, GcpCredentialsOption, GcpCredentialSource } from './credentials.ts'
export { gcpErrorOf, type GcpStatus, objectField } from './errors.ts'
export { gcpCredentialsOfEnv, type GcpEnvOptions } from './from-env.ts'
export { gcpImpersonation, type GcpImpersonationOptions } from './impersonation.ts'
export { gcpMetadataServer, type GcpMetadataServerOptions } from './metadata-server.ts'
export {
  gcpServiceAccount,
  type GcpServiceAccountKey,
  type GcpServiceAccountOptions,
} from './service-account.ts'
export { toTokenSource } from './sources.ts'
export {
  type GcpFederationOptions,
  gcpWorkloadIdentity,
  type GcpWorkloadIdentityOptions,
} from './workload-identity.ts'
export {
  gcpWorkloadIdentityFromAws,
  type GcpWorkloadIdentityFromAwsOptions,
} from './workload-identity-aws.ts'
