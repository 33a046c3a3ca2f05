export type { CloudKmsCall, CloudKmsCallOptions, CloudKmsClient } from './cloud-kms-client.ts'
export { createGoogleCloudKms, type GoogleCloudKmsOptions } from './create-google-cloud-kms.ts'
