export { checkEndpoint, type EndpointRules } from './endpoint.ts'
export { type JsonObject, parseJsonObject, stringField } from './json.ts'
export { retryAfterMs } from './retry-after.ts'
export {
  type CallFacts,
  type HttpRequest,
  type HttpResponse,
  Transport,
  type TransportOptions,
} from './transport.ts'
