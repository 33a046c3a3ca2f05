export { BoundedMap } from './bounded-map.ts'
export {
  askCallback,
  askForJwt,
  CALLBACK_TIMEOUT_MS,
  type CallbackOptions,
  guardSource,
  jwtOf,
} from './callbacks.ts'
export { correctedSkew } from './clock-skew.ts'
export { keepAlive } from './keep-alive.ts'
export { notify } from './notify.ts'
export { type Expiring, Refreshing, type RefreshPorts } from './refreshing.ts'
export { type FlightOptions, SingleFlight, untilAborted } from './single-flight.ts'
export { retrying } from './retrying.ts'
export { sleep } from './sleep.ts'
export { tell } from './tell.ts'
export { webNetwork, webTimers } from './web-network.ts'
export { type TimeoutOptions, withTimeout } from './with-timeout.ts'
export { webRuntime } from './web-runtime.ts'
