/**
 * Cloud KMS through Google's own client, for code that already uses it.
 *
 * @module
 */
export type { CloudKmsCall, CloudKmsCallOptions, CloudKmsClient } from './cloud-kms-client.ts'
export { createGoogleCloudKms, type GoogleCloudKmsOptions } from './create-google-cloud-kms.ts'
