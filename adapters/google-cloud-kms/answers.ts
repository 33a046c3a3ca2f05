import type { GcpKmsAnswer } from '../../src/providers/gcp-kms/index.ts'

/** google.cloud.kms.v1.CryptoKeyVersion.CryptoKeyVersionState: clients may give numbers. */
const STATES = [
  '',
  'ENABLED',
  'DISABLED',
  'DESTROYED',
  'DESTROY_SCHEDULED',
  'PENDING_GENERATION',
] as const

/**
 * A message of the client as fields of an answer. Bytes are copied out of the client's buffer, which
 * is wiped: it may be a part of what a connection read.
 */
export function answerOf(message: unknown): GcpKmsAnswer {
  const fields = Object.entries(Object(message) as Readonly<Record<string, unknown>>)
  return Object.fromEntries(fields.map(([name, value]) => [name, valueOf(name, value)]))
}

function valueOf(name: string, value: unknown): unknown {
  if (value instanceof Uint8Array) {
    const copy = new Uint8Array(value)
    value.fill(0)
    return copy
  }
  if (name.endsWith('Crc32c') && typeof value === 'object' && value !== null) {
    const { value: number } = value as { readonly value?: unknown }
    // A Long prints its number in decimal; of anything else nothing would match a checksum.
    return String(number)
  }
  return name === 'state' && typeof value === 'number' ? STATES[value] : value
}

/** Zeroes the bytes in an answer. */
export function wipe(answer: GcpKmsAnswer): void {
  for (const value of Object.values(answer)) if (value instanceof Uint8Array) value.fill(0)
}
