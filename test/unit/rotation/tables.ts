import { EncryptedEnvelope, type EncryptionContext } from '../../../src/index.ts'
import { cipherAt, MemorySource, utf8 } from './fixture.ts'

/** The context of all rows. */
export const context: EncryptionContext = { tenant: 'acme' }

/** Returns an envelope under the first version, with a data key of its own. */
export function encrypted(version = 1, text = 'x'): Promise<Uint8Array<ArrayBuffer>> {
  return cipherAt(version, { cache: false }).encrypt(utf8(text), { context })
}

/** Returns a table whose rows are under version 1. */
export async function tableOf(
  rows: number,
  { reuse = false, name = 'users' } = {},
): Promise<MemorySource> {
  const source = new MemorySource(name)
  const writer = cipherAt(1, reuse ? {} : { cache: false })
  for (let i = 0; i < rows; i += 1) {
    const secret = await writer.encrypt(utf8(`row ${String(i)}`), { context })
    source.set(`r${String(i).padStart(4, '0')}`, { secret })
  }
  return source
}

/** Returns the versions of all wraps in a table. */
export function versionsIn(source: MemorySource, field = 'secret'): string[] {
  const wraps = [...source.rows.keys()].flatMap((id) => {
    const value = source.value(id, field)
    return value === null ? [] : EncryptedEnvelope.parse(value).wraps
  })
  return [...new Set(wraps.map(({ kekVersion }) => kekVersion))].sort()
}
