import { configError, wrongOption } from '../../../src/checks/index.ts'
import { isKmsError, KmsError } from '../../../src/errors.ts'
import type { EnvelopeCipher } from '../../../src/index.ts'
import { webTimers, withTimeout } from '../../../src/runtime/index.ts'

/** The methods of an `EnvelopeCipher` that an entrypoint calls. */
export type ServiceCipher = Pick<
  EnvelopeCipher,
  | 'encrypt'
  | 'decrypt'
  | 'encryptText'
  | 'decryptText'
  | 'encryptMany'
  | 'decryptMany'
  | 'encryptStream'
  | 'decryptStream'
  | 'rewrap'
  | 'rewrapStream'
  | 'canOpen'
>

/** Ciphers by the names that policies and clients use. */
export type Ciphers = Readonly<Record<string, ServiceCipher>>

/** How long a request waits for its ciphers. */
const CREATE_TIMEOUT_MS = 10_000

/** The ciphers of this isolate, by the class that made them. */
const READY = new WeakMap<object, Ciphers>()

/**
 * Returns the ciphers of an entrypoint: made once in an isolate, and used by all its requests.
 *
 * Requests that come before they are ready make their own, and the first that succeeds is kept. None waits
 * for a promise of another request, which would never settle if that request ended first. A failure is not
 * kept.
 *
 * @param owner - the entrypoint's class
 * @throws KmsError of `create`; `ERR_KMS_CONFIG` for anything else that it throws or returns;
 * `ERR_KMS_TIMEOUT` after 10 seconds
 */
export async function readyCiphers(
  owner: object,
  create: () => Ciphers | Promise<Ciphers>,
): Promise<Ciphers> {
  const ready = READY.get(owner)
  if (ready !== undefined) return ready
  const made = checkCiphers(await created(create))
  const first = READY.get(owner)
  if (first !== undefined) return first
  READY.set(owner, made)
  return made
}

/**
 * Returns the cipher of a name.
 *
 * @throws KmsError `ERR_KMS_CONFIG`
 */
export function cipherNamed(ciphers: Ciphers, name: string): ServiceCipher {
  const cipher = Object.hasOwn(ciphers, name) ? ciphers[name] : undefined
  if (cipher !== undefined) return cipher
  throw configError(
    'the policy allows a key that createCiphers does not return: return it, or remove it',
  )
}

async function created(create: () => Ciphers | Promise<Ciphers>): Promise<unknown> {
  try {
    return await withTimeout(async () => create(), {
      timeoutMs: CREATE_TIMEOUT_MS,
      network: webTimers,
      error: () =>
        new KmsError('ERR_KMS_TIMEOUT', {
          message: 'createCiphers of the service did not return in time',
        }),
    })
  } catch (error) {
    if (isKmsError(error)) throw error
    // Its message may hold a secret, and the caller is another Worker.
    throw configError('createCiphers of the service failed: catch and log the error there')
  }
}

function checkCiphers(value: unknown): Ciphers {
  const ciphers = Object(value) as Record<string, Partial<ServiceCipher> | null | undefined>
  const names = Object.keys(ciphers)
  if (names.length === 0) {
    throw wrongOption(
      'createCiphers',
      'a function that returns ciphers by name: { default: cipher }',
    )
  }
  for (const name of names) {
    if (typeof ciphers[name]?.encryptStream === 'function') continue
    throw wrongOption(`createCiphers().${name}`, 'an EnvelopeCipher', ciphers[name])
  }
  return Object.freeze({ ...ciphers }) as Ciphers
}
