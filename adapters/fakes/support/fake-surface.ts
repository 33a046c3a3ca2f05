import type { Network } from '../../../src/ports/index.ts'
import { webNetwork } from '../../../src/runtime/index.ts'
import type { FakeClock } from './clock.ts'
import type { FaultQueue, ScriptedFault } from './fault-script.ts'

/** A fake server, as its fake shows it. */
interface FakeServer<F extends ScriptedFault, C> {
  fetch(request: Request): Promise<Response>
  readonly door: {
    readonly faults: FaultQueue<F>
    readonly calls: readonly C[]
    forgetCalls(): void
  }
}

/** Members that every fake has. */
export interface FakeSurface<F extends ScriptedFault, C> {
  readonly fetch: (request: Request) => Promise<Response>
  readonly network: Network
  readonly clock: FakeClock
  readonly faults: FaultQueue<F>
  readonly calls: readonly C[]
  readonly count: (operation?: string) => number
  readonly forgetCalls: () => void
}

/** Returns the members of a fake that all fakes have. Add the others with `Object.assign`: `calls` is a getter. */
export function surfaceOf<F extends ScriptedFault, C extends { readonly operation: string }>(
  server: FakeServer<F, C>,
  clock: FakeClock,
): FakeSurface<F, C> {
  const { door } = server
  return {
    fetch: (request) => server.fetch(request),
    network: {
      ...webNetwork,
      fetch: async (url, init) => server.fetch(new Request(url, init)),
    },
    clock,
    faults: door.faults,
    get calls() {
      return door.calls
    },
    count: (operation) =>
      door.calls.filter((call) => operation === undefined || call.operation === operation).length,
    forgetCalls: () => {
      door.forgetCalls()
    },
  }
}
