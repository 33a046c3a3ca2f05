import type { Bytes } from '../../bytes/index.ts'
import type { KmsSignalOptions } from '../../kms/index.ts'
import type { Runtime } from '../../ports/index.ts'
import type { GcpKmsApi } from './kms-api.ts'

/** Makes the 32 bytes of a DEK. */
export type DataKeyBytes = (options: KmsSignalOptions) => Promise<Bytes>

/** From the runtime's generator; with `hsm`, from the location's HSMs as well. */
export function dataKeyBytes(
  randomBytes: 'local' | 'hsm',
  api: GcpKmsApi,
  runtime: Runtime,
): DataKeyBytes {
  return async (options) => {
    const dek = runtime.randomFill(new Uint8Array(32))
    if (randomBytes === 'local') return dek
    const theirs = await api.randomBytes(options)
    // Combined, so that neither generator alone, nor an answer that was forged, decides.
    for (let i = 0; i < 32; i++) dek[i] = (dek[i] as number) ^ (theirs[i] as number)
    theirs.fill(0)
    return dek
  }
}
