/**
 * Cloud KMS through Google's own client, for code that has it already.
 *
 * @module
 */
export type { CloudKmsCall, CloudKmsCallOptions, CloudKmsClient } from './cloud-kms-client.ts'
export { createGoogleCloudKms, type GoogleCloudKmsOptions } from './create-google-cloud-kms.ts'
