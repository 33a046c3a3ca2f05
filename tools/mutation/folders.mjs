/** The folders of R36 and the tests that are to notice a change in them. */
export const FOLDERS = {
  wire: ['unit/wire', 'kit'],
  ciphers: ['unit/ciphers', 'unit/wire', 'vectors'],
  envelope: ['unit/envelope', 'unit/wire'],
  'data-keys': ['unit/data-keys', 'unit/wire'],
  resilience: ['unit/resilience'],
  rotation: ['unit/rotation'],
}
