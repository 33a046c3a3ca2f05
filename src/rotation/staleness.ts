import type { KekVersion, WrappedKey } from '../kms/index.ts'

/**
 * Whether wraps are exactly those of the current KEK versions: one for each KEK, and no other. If the vendor
 * reveals no version (AWS), the KEK's id decides.
 *
 * @param current - what `currentVersion` of the KMS answered
 */
export function areExactlyCurrent(
  wraps: readonly WrappedKey[],
  current: readonly KekVersion[],
): boolean {
  if (current.length === 0 || wraps.length !== current.length) return false
  return current.every((kek) => wraps.some((wrap) => isUnder(wrap, kek)))
}

/** Whether a wrap is under this version of a KEK, as far as the vendor reveals versions. */
export function isUnder(wrap: KekVersion, { provider, kekId, kekVersion }: KekVersion): boolean {
  if (wrap.provider !== provider || wrap.kekId !== kekId) return false
  return kekVersion === '' || wrap.kekVersion === kekVersion
}

/**
 * Whether a wrap may be under this version: for retirement, a wrap that names no version refers to all of them.
 *
 * @param retired - its `kekVersion` is empty where the whole KEK is meant
 */
export function mayReferTo(wrap: KekVersion, retired: KekVersion): boolean {
  if (wrap.provider !== retired.provider || wrap.kekId !== retired.kekId) return false
  return (
    retired.kekVersion === '' || wrap.kekVersion === '' || wrap.kekVersion === retired.kekVersion
  )
}

/** Whether two lists name the same versions, in whatever order. */
export function areSameVersions(a: readonly KekVersion[], b: readonly KekVersion[]): boolean {
  const names = (list: readonly KekVersion[]): string => list.map(versionName).sort().join('\n')
  return names(a) === names(b)
}

/** Returns a version as one text, for maps and messages. */
export function versionName({ provider, kekId, kekVersion }: KekVersion): string {
  return [provider, kekId, ...(kekVersion === '' ? [] : [kekVersion])].join(' ')
}
