/**
 * Encryption over HTTP for any language, as a hono app.
 *
 * @module
 */
export { createGateway } from './create-gateway.ts'
export {
  type ErrorAnswer,
  kmsErrorHandler,
  type KmsErrorHandlerOptions,
} from './kms-error-handler.ts'
export type { GatewayOptions } from './options.ts'
export { type GatewayErrorCode, type GatewayFailure, problemOf } from './problem.ts'
