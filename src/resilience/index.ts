export { MultiKms, type MultiKmsOptions } from './multi-kms.ts'
