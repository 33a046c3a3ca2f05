/** The parts that the sides of all vendors share. */
import type { KeyManagementService } from '../../src/kms/index.ts'
import type { Network } from '../../src/ports/index.ts'

/** The calls of one record: make a data key, and unwrap it. */
export type Operation = 'generateDataKey' | 'unwrapDataKey'
export type Call = () => Promise<unknown>
export type Calls = Record<Operation, Call>
/** The compared sides by name: `client` is the vendor's own, `fetch` sends the same bytes and reads the answer. */
export type Sides = Record<string, Calls>

/** `edge-kms/node`, where it runs. */
export interface Adapter {
  readonly network: Network
}

export const context = {
  tenant: 'acme',
  'edge-kms:dk': 'q2VpLq2VpLq2VpLq2VpLq2VpLq2VpLq2VpLq2VpLx0A.1767225600000',
}

/** The calls of a provider of this package. */
export async function callsOf(kms: KeyManagementService): Promise<Calls> {
  const { wraps } = await kms.generateDataKey({ context })
  return {
    generateDataKey: () => kms.generateDataKey({ context }),
    unwrapDataKey: () => kms.unwrapDataKey(wraps, { context }),
  }
}

/** A request without a client: the floor of every call by `fetch`. */
export async function post(
  url: string,
  headers: Record<string, string>,
  body: object,
): Promise<ArrayBuffer> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  })
  if (!response.ok) throw new Error(`${url}: ${response.status}`)
  return response.arrayBuffer()
}

/** Makes so many calls, so many at a time. */
export async function makeCalls(call: Call, calls: number, atOnce: number): Promise<void> {
  let left = calls
  const one = async (): Promise<void> => {
    while (left-- > 0) await call()
  }
  await Promise.all(Array.from({ length: atOnce }, one))
}
