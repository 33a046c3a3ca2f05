/** The folders of R36 and the tests that are to notice a change in them. */
export const FOLDERS = {
  wire: ['unit/wire', 'kit'],
  ciphers: ['unit/ciphers', 'unit/wire', 'vectors'],
  envelope: ['unit/envelope', 'unit/wire'],
  'data-keys': ['unit/data-keys', 'unit/wire'],
  resilience: ['unit/resilience'],
  rotation: ['unit/rotation'],
}

/** Tests that start other processes, which no mutant reaches, or take minutes. */
export const EXCLUDED = [
  'unit/data-keys/snapshot.test.ts',
  'unit/envelope/stream-memory.test.ts',
  'property/fuzz.test.ts',
]
