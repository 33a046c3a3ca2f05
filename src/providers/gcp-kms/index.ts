export {
  type GcpAccessToken,
  type GcpCredentialsOption,
  type GcpCredentialSource,
  type GcpFederationOptions,
  gcpImpersonation,
  type GcpImpersonationOptions,
  gcpMetadataServer,
  type GcpMetadataServerOptions,
  gcpServiceAccount,
  type GcpServiceAccountKey,
  type GcpServiceAccountOptions,
  gcpWorkloadIdentity,
  gcpWorkloadIdentityFromAws,
  type GcpWorkloadIdentityFromAwsOptions,
  type GcpWorkloadIdentityOptions,
} from '../../credentials/gcp/index.ts'
export { createGcpKms } from './create-gcp-kms.ts'
export type { GcpKmsOptions } from './options.ts'
