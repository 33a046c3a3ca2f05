/** The only way to the network and to timers; tests and simulations bring their own. */
export interface Network {
  fetch(url: string, init: RequestInit): Promise<Response>
  /** Calls back once after `delayMs`, unless the function that it returns is called before. */
  after(delayMs: number, callback: () => void): () => void
  /** A number in [0, 1) that spreads load. Never for keys. */
  jitter(): number
}
