/** Every limit of wire format v1, in bytes unless the name says otherwise: `docs/wire-format.md`. */
export const LIMITS = {
  /** Salt to the last wrap (W3.3). */
  headerBytes: 65_536,
  saltBytes: 32,
  commitmentBytes: 32,
  providerBytes: 32,
  kekIdBytes: 2_048,
  kekVersionBytes: 256,
  wrappedBytes: 16_384,
  /** The most wraps that a reader can be configured to accept (W3.10). */
  maxWraps: 16,
  /** The most wraps that a reader accepts unless configured (W3.9). */
  defaultMaxWraps: 5,
  nonceBytes: 24,
  tagBytes: 16,
  /** Plaintext of one record unless configured (W4.9). */
  defaultRecordBytes: 1_048_576,
  /** Largest record that can be configured: a record is held in memory whole. */
  maxRecordBytes: 1_073_741_824,
} as const
