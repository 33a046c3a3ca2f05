/**
 * Calls a function that only hears of something. An error that it throws, or that its promise rejects with, changes
 * nothing: a log must neither fail a call nor end the process.
 */
export function tell<A extends readonly unknown[]>(
  hear: ((...facts: A) => unknown) | undefined,
  ...facts: A
): void {
  try {
    // The types say void, but an async function is one of those too.
    const heard = hear?.(...facts)
    if (heard !== undefined) Promise.resolve(heard).catch(() => undefined)
  } catch {
    // A failure to hear must not fail the caller.
  }
}
