export type { DecryptItem, EncryptItem } from './batches.ts'
export type { DecryptedRange, PlaintextRange, ReadEnvelopeRange } from './decrypt-range.ts'
export { EncryptedEnvelope, type ParseEnvelopeOptions } from './encrypted-envelope.ts'
export { EnvelopeCipher, type RewrapOptions } from './envelope-cipher.ts'
export type {
  DecryptOptions,
  EncryptOptions,
  EnvelopeCipherOptions,
  KmsCipherOptions,
  CallOptions,
  MessageOptions,
  SourceCipherOptions,
  StartedStream,
  StartStreamOptions,
} from './options.ts'
