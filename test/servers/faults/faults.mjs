/**
 * Faults of a network between the stack and its KMS. docs/faults.md says what a caller sees of each.
 *
 * @typedef {object} Fault
 * @property {string} name as the table says it
 * @property {readonly import('./toxiproxy.mjs').Toxic[]} toxics
 * @property {boolean} [cut] no connection at all
 */

/** @type {readonly Fault[]} */
export const faults = [
  { name: 'none', toxics: [] },
  {
    name: 'latency of 100 ms, give or take 50',
    toxics: [{ type: 'latency', attributes: { latency: 100, jitter: 50 } }],
  },
  {
    name: 'latency of 3 s, more than an attempt has',
    toxics: [{ type: 'latency', attributes: { latency: 3_000 } }],
  },
  {
    name: 'a body that comes slowly, 100 bytes every 10 ms',
    toxics: [
      { type: 'slicer', attributes: { average_size: 100, size_variation: 20, delay: 10_000 } },
    ],
  },
  {
    name: 'a body that comes too slowly, 20 bytes every 100 ms',
    toxics: [
      { type: 'slicer', attributes: { average_size: 20, size_variation: 5, delay: 100_000 } },
    ],
  },
  {
    name: 'connections are reset at once',
    toxics: [{ type: 'reset_peer', attributes: { timeout: 0 } }],
  },
  {
    name: 'connections are reset while the KMS works, after 200 ms',
    toxics: [{ type: 'reset_peer', attributes: { timeout: 200 } }],
  },
  {
    name: 'the answer ends after 200 bytes',
    toxics: [{ type: 'limit_data', attributes: { bytes: 200 } }],
  },
  {
    name: 'half-open: requests vanish',
    toxics: [{ type: 'timeout', stream: 'upstream', attributes: { timeout: 0 } }],
  },
  {
    name: 'half-open: the KMS works, its answers vanish',
    toxics: [{ type: 'timeout', attributes: { timeout: 0 } }],
  },
  {
    name: 'connections that end late, after 1 s',
    toxics: [{ type: 'slow_close', attributes: { delay: 1_000 } }],
  },
  { name: 'blackout: connections are refused', toxics: [], cut: true },
]
