/** An error for software that a machine lacks: a reason to skip for a developer, a failure in CI. */
export class MissingError extends Error {
  /** @override */
  name = 'MissingError'
}
