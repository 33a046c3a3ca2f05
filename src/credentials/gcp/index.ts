export { type GcpCall, GcpClient } from './client.ts'
export type { GcpAccessToken, GcpCredentialsOption, GcpCredentialSource } from './credentials.ts'
export { objectField } from './errors.ts'
export { toTokenSource } from './sources.ts'
