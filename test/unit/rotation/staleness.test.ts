import { describe, expect, it } from 'vitest'
import type { KekVersion, WrappedKey } from '../../../src/index.ts'
import {
  areExactlyCurrent,
  areSameVersions,
  mayReferTo,
  versionName,
} from '../../../src/rotation/staleness.ts'

const kek = (provider: string, kekId: string, kekVersion = ''): KekVersion => ({
  provider,
  kekId,
  kekVersion,
})
const wrap = (...given: Parameters<typeof kek>): WrappedKey => ({
  ...kek(...given),
  wrapped: new Uint8Array(1),
})

describe('R27 staleness', () => {
  it.each<[string, WrappedKey[], KekVersion[], boolean]>([
    ['the current version', [wrap('gcp-kms', 'k', '2')], [kek('gcp-kms', 'k', '2')], true],
    ['an old version', [wrap('gcp-kms', 'k', '1')], [kek('gcp-kms', 'k', '2')], false],
    [
      'no version, where the vendor has one',
      [wrap('gcp-kms', 'k')],
      [kek('gcp-kms', 'k', '2')],
      false,
    ],
    [
      'the key of AWS, which reveals no version',
      [wrap('aws-kms', 'arn:1')],
      [kek('aws-kms', 'arn:1')],
      true,
    ],
    ['another key of AWS', [wrap('aws-kms', 'arn:2')], [kek('aws-kms', 'arn:1')], false],
    ['another provider', [wrap('local', 'k', '2')], [kek('gcp-kms', 'k', '2')], false],
    [
      'a wrap too many, under a KEK that is not configured',
      [wrap('local', 'a', '1'), wrap('local', 'b', '1')],
      [kek('local', 'a', '1')],
      false,
    ],
    [
      'a wrap too few',
      [wrap('local', 'a', '1')],
      [kek('local', 'a', '1'), kek('local', 'b', '1')],
      false,
    ],
    [
      'two KEKs in another order',
      [wrap('local', 'b', '1'), wrap('aws-kms', 'arn:1')],
      [kek('aws-kms', 'arn:1'), kek('local', 'b', '1')],
      true,
    ],
    ['nothing, while nothing is configured', [], [], false],
  ])('%s', (_, wraps, current, isCurrent) => {
    expect(areExactlyCurrent(wraps, current)).toBe(isCurrent)
  })

  it.each<[KekVersion, KekVersion, boolean]>([
    [kek('local', 'a', '1'), kek('local', 'a', '1'), true],
    [kek('local', 'a', '2'), kek('local', 'a', '1'), false],
    [kek('local', 'a', '2'), kek('local', 'a'), true],
    [kek('local', 'a'), kek('local', 'a', '1'), true],
    [kek('local', 'b', '1'), kek('local', 'a', '1'), false],
    [kek('aws-kms', 'a', '1'), kek('local', 'a', '1'), false],
  ])('a wrap under %j may refer to %j: %s', (one, retired, may) => {
    expect(mayReferTo(one, retired)).toBe(may)
  })

  it('compares lists of versions in whatever order', () => {
    const [a, b] = [kek('local', 'a', '1'), kek('aws-kms', 'b')]
    expect(areSameVersions([a, b], [b, a])).toBe(true)
    expect(areSameVersions([a], [a, b])).toBe(false)
    expect(areSameVersions([a], [kek('local', 'a', '2')])).toBe(false)
    expect(versionName(a)).toBe('local a 1')
    expect(versionName(b)).toBe('aws-kms b')
  })
})
