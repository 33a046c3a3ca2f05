/**
 * GCP Cloud KMS by `fetch`, with credentials that refresh.
 *
 * @module
 */
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
  type GcpStatus,
  gcpWorkloadIdentity,
  gcpWorkloadIdentityFromAws,
  type GcpWorkloadIdentityFromAwsOptions,
  type GcpWorkloadIdentityOptions,
} from '../../credentials/gcp/index.ts'
export { createGcpKeyLifecycle, type GcpKeyLifecycleOptions } from './create-gcp-key-lifecycle.ts'
export { createGcpKms } from './create-gcp-kms.ts'
export { createGcpKmsOver } from './create-gcp-kms-over.ts'
export { gcpKmsFromEnv, type GcpKmsFromEnvOptions } from './gcp-kms-from-env.ts'
export { gcpKmsError } from './errors.ts'
export type { GcpKmsKeyOptions, GcpKmsOptions } from './options.ts'
export type { GcpKmsAnswer, GcpKmsMethods, GcpKmsTransport } from './transport.ts'
