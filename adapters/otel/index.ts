export { otelObserver, type OtelObserverOptions } from './otel-observer.ts'
