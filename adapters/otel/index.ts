/**
 * Metrics and spans of KMS calls for OpenTelemetry.
 *
 * @module
 */
export { otelObserver, type OtelObserverOptions } from './otel-observer.ts'
