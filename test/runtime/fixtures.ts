import golden from '../vectors/golden.json' with { type: 'json' }

/**
 * Released bytes decrypt for ever: messages of an independent program, which open under the local key
 * of the golden values of wire format v1.
 */
export const fixtures = {
  kek: golden.localWrap.kek,
  kekVersion: Number(golden.localWrap.kekVersion),
  context: golden.inputs.context,
  aad: golden.inputs.aad,
  plaintext: golden.inputs.plaintext,
  record: golden.openable.record,
  stream: golden.openable.stream,
} as const

export function fromHex(hex: string): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(hex.length / 2)
  for (let i = 0; i < out.length; i++) out[i] = Number.parseInt(hex.slice(2 * i, 2 * i + 2), 16)
  return out
}
