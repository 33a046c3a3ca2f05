export type {
  GcpAccessToken,
  GcpCredentialsOption,
  GcpCredentialSource,
} from '../../credentials/gcp/index.ts'
export { createGcpKms } from './create-gcp-kms.ts'
export type { GcpKmsOptions } from './options.ts'
