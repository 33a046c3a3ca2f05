import { CipherEntrypoint, type Ciphers } from 'edge-kms/workers/entrypoint'
import { cipherOf, type VaultEnv } from './stack.ts'

export { EdgeKmsStoreObject } from 'edge-kms/workers'
export { Files } from './files.ts'

/** Encrypts and decrypts for other Workers, as far as the policy of their binding allows. */
export class Vault extends CipherEntrypoint<VaultEnv> {
  protected override createCiphers(env: VaultEnv): Ciphers {
    return { default: cipherOf(env) }
  }
}

// The vault has no route, and answers nobody who finds one.
export default { fetch: () => new Response(null, { status: 404 }) }
