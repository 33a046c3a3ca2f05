/** What a machine lacks: a reason to skip on a developer's machine, a failure in CI. */
export class MissingError extends Error {
  /** @override */
  name = 'MissingError'
}
