export { type Expiring, Refreshing, type RefreshPorts } from './refreshing.ts'
export { type FlightOptions, SingleFlight, untilAborted } from './single-flight.ts'
export { webNetwork } from './web-network.ts'
export { webRuntime } from './web-runtime.ts'
