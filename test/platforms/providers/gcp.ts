import type { Library, RuntimeCase } from '../../runtime/suite.ts'
import { cipherCases, contractOf, type Deviations, type Kms, message } from './shared.ts'

/** The address of Cloud KMS, and keys for these cases alone. */
export interface GcpTarget {
  /** `emulator`, `fake` or `live`. */
  readonly name: string
  /** Absent: Google itself. */
  readonly endpoint?: string
  readonly token: string
  readonly keyName: string
  readonly otherKeyName: string
}

const OPAQUE = 'answers 500 to what does not open'
const DEVIATIONS: Readonly<Record<string, Deviations>> = {
  emulator: {
    'refuses a wrap under a changed context': OPAQUE,
    'refuses a changed wrap': OPAQUE,
    'rewraps: same DEK, new wraps': OPAQUE,
  },
}

/** Returns the cases of `gcp-kms` against a server. */
export function gcpCases(library: Library, target: GcpTarget): readonly RuntimeCase[] {
  const { core, gcp, testing } = library
  const { endpoint, token, keyName, otherKeyName } = target
  const create = (keyId: string, randomBytes: 'local' | 'hsm' = 'local'): Kms =>
    gcp.createGcpKms({
      keyName: keyId,
      credentials: { token },
      timeoutMs: 10_000,
      ...(randomBytes === 'hsm' && { randomBytes }),
      ...(endpoint !== undefined && { endpoint, allowHttpLoopback: true }),
    })
  const ours = (): Kms => create(keyName)
  const subject = { create: ours, createOther: () => create(otherKeyName) }
  const contract = testing.kmsContract(ours().capabilities, subject)
  return [
    ...contractOf(contract, 'contract', DEVIATIONS[target.name]),
    ...cipherCases(library, ours),
    {
      name: 'random bytes of HSMs go into a data key',
      run: async () => {
        const writer = new core.EnvelopeCipher({ kms: create(keyName, 'hsm') })
        const envelope = await writer.encrypt(new Uint8Array([7]), message)
        await new core.EnvelopeCipher({ kms: ours() }).decrypt(envelope, message)
      },
    },
  ]
}
