import { wrongOption } from '../../src/checks/index.ts'

/** Calls a function of the caller's that only hears of something: what it throws changes nothing. */
export function tell<A extends readonly unknown[]>(
  hear: ((...facts: A) => unknown) | undefined,
  ...facts: A
): void {
  try {
    // The types say void, but an async function is one of those too.
    const heard = hear?.(...facts)
    if (heard !== undefined) Promise.resolve(heard).catch(() => undefined)
  } catch {
    // A log that fails must not fail the invocation.
  }
}

/**
 * Returns a function that an option or argument must be.
 *
 * @throws KmsError `ERR_KMS_CONFIG`
 */
export function demandFunction<T>(name: string, value: T): T {
  if (typeof value === 'function') return value
  throw wrongOption(name, 'a function', value)
}
