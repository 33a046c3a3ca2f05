export type { DecryptItem, DecryptManyOptions } from './decrypt-many.ts'
export type { StoredPlaintext } from './decrypt-stored.ts'
export type { EncryptItem } from './encrypt-many.ts'
export { EncryptedEnvelope, type ParseEnvelopeOptions } from './encrypted-envelope.ts'
export { EnvelopeCipher } from './envelope-cipher.ts'
export type {
  DecryptOptions,
  EncryptOptions,
  EnvelopeCipherOptions,
  KmsCipherOptions,
  CallOptions,
  MessageOptions,
  RewrapOptions,
  SourceCipherOptions,
  StartedStream,
  StartStreamOptions,
} from './options.ts'
export type {
  DecryptedRange,
  DecryptRangeOptions,
  PlaintextRange,
  ReadEnvelopeRange,
} from './range-options.ts'
