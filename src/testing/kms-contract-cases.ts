import { equalBytes } from '../bytes/index.ts'
import { isKmsError, type KmsErrorCode } from '../errors.ts'
import {
  canonicalContext,
  type EncryptionContext,
  type KeyManagementService,
  kmsContext,
  type KmsCallOptions,
  SecretBytes,
  type WrappedKey,
} from '../kms/index.ts'
import { demand, demandCode } from './contract-case.ts'

/** The subject of the contract suite. */
export interface KmsContractSubject {
  /** A new service over the same KEKs each time, so that nothing is left over from another case. */
  create(): KeyManagementService | Promise<KeyManagementService>
  /** The same provider with other KEKs: its wraps must be refused before any I/O. */
  createOther(): KeyManagementService | Promise<KeyManagementService>
  /** Whether a DEK has only one wrap under a version of the KEK: key wrapping without a nonce (RFC 3394). */
  readonly wrapsAreDeterministic?: boolean
  /** Contexts of two customers and of none, for a service whose contexts pick the KEK (`keksByContext`). */
  readonly customers?: {
    readonly one: EncryptionContext
    readonly other: EncryptionContext
    readonly none: EncryptionContext
  }
}

/** A context such as a data-key source makes, another one at each call. */
export function call(map: EncryptionContext = { tenant: 'acme' }): KmsCallOptions {
  const salt = crypto.getRandomValues(new Uint8Array(32))
  return { context: kmsContext(canonicalContext(map).map, salt, 1_767_225_600_000) }
}

/** The options of a call on the KEK: none, where the context does not pick it. */
function optionsOf({ capabilities }: KeyManagementService): KmsCallOptions | undefined {
  return capabilities.keksByContext === true ? call() : undefined
}

export async function sameDek(
  kms: KeyManagementService,
  wraps: readonly WrappedKey[],
  options: KmsCallOptions,
  plaintext: SecretBytes,
): Promise<boolean> {
  const opened = await kms.unwrapDataKey(wraps, options)
  const same = equalBytes(opened.plaintext.expose(), plaintext.expose())
  opened.plaintext.dispose()
  return same
}

export async function generates(kms: KeyManagementService): Promise<void> {
  const options = call()
  const { plaintext, wraps } = await kms.generateDataKey(options)
  demand(plaintext.length === 32, 'the DEK is not 32 bytes')
  demand(wraps.length > 0, 'the answer has no wrap')
  const { maxWrappedBytes } = kms.capabilities.limits
  for (const wrap of wraps) {
    demand(kms.canUnwrap(wrap, options.context), 'a wrap of its own is not recognised')
    demand(wrap.wrapped.length <= maxWrappedBytes, 'a wrap is longer than its limit says')
    demand((wrap.kekVersion !== '') === kms.capabilities.revealsVersion, 'revealsVersion is wrong')
  }
  demand(await sameDek(kms, wraps, options, plaintext), 'the wraps open to another DEK')
}

export async function roundTrip(kms: KeyManagementService): Promise<void> {
  const options = call({ tenant: 'acme', ünï: '\u{10000}', empty: '' })
  const dek = SecretBytes.take(crypto.getRandomValues(new Uint8Array(32)))
  const wraps = await kms.wrapDataKey(dek, options)
  for (const wrap of wraps) {
    demand(await sameDek(kms, [wrap], options, dek), 'a wrap opens to another DEK')
    const { by } = await kms.unwrapDataKey([wrap], options)
    demand(by === wrap, 'by is not the wrap that was given')
  }
}

export async function isRandom(
  kms: KeyManagementService,
  { wrapsAreDeterministic = false }: KmsContractSubject,
): Promise<void> {
  const options = call()
  const a = await kms.generateDataKey(options)
  const b = await kms.generateDataKey(options)
  demand(!equalBytes(a.plaintext.expose(), b.plaintext.expose()), 'two DEKs are equal')
  const again = await kms.wrapDataKey(a.plaintext, options)
  const same = equalBytes(a.wraps[0]?.wrapped ?? empty, again[0]?.wrapped ?? empty)
  demand(same === wrapsAreDeterministic, `two wraps of one DEK are ${same ? '' : 'not '}equal`)
}

export async function bindsTheContext(kms: KeyManagementService): Promise<void> {
  const options = call({ ab: 'c' })
  const { wraps } = await kms.generateDataKey(options)
  const dk = options.context['edge-kms:dk'] as string
  const others: EncryptionContext[] = [
    { 'edge-kms:dk': dk },
    { ab: 'd', 'edge-kms:dk': dk },
    { ab: 'c', x: '', 'edge-kms:dk': dk },
    // Some servers join keys and values without a separator.
    { a: 'bc', 'edge-kms:dk': dk },
    { ab: 'c', 'edge-kms:dk': `${dk}0` },
  ]
  // Another context may have another KEK, where it picks them.
  const codes: readonly KmsErrorCode[] = kms.capabilities.keksByContext
    ? ['ERR_DECRYPT_FAILED', 'ERR_ENVELOPE_UNKNOWN_KEY']
    : ['ERR_DECRYPT_FAILED']
  for (const context of others) await demandCode(kms.unwrapDataKey(wraps, { context }), ...codes)
}

export async function refusesTampering(kms: KeyManagementService): Promise<void> {
  const options = call()
  const { wraps } = await kms.generateDataKey(options)
  for (const wrap of wraps) {
    const last = new Uint8Array(wrap.wrapped)
    last[last.length - 1] = (last[last.length - 1] as number) ^ 1
    const short = wrap.wrapped.slice(0, 16)
    for (const wrapped of [last, short, crypto.getRandomValues(new Uint8Array(60))]) {
      await demandCode(kms.unwrapDataKey([{ ...wrap, wrapped }], options), 'ERR_DECRYPT_FAILED')
    }
    if (wrap.kekVersion === '') continue
    const kekVersion = `${wrap.kekVersion}7`
    await demandCode(
      kms.unwrapDataKey([{ ...wrap, kekVersion }], options),
      ...([
        'ERR_DECRYPT_FAILED',
        'ERR_KMS_KEY_NOT_FOUND',
        'ERR_KMS_KEY_DISABLED',
      ] satisfies KmsErrorCode[]),
    )
  }
}

export async function refusesForeign(
  kms: KeyManagementService,
  subject: KmsContractSubject,
): Promise<void> {
  const options = call()
  const other = await subject.createOther()
  const { keks = [] } = kms.capabilities
  const same = keks.filter((kek) => other.capabilities.keks?.includes(kek))
  demand(same.length === 0, 'keks are those of another key')
  const { wraps } = await other.generateDataKey(options)
  // The KEK of a context is known from its first call on, where it picks them.
  if (kms.capabilities.keksByContext) await kms.generateDataKey(options)
  const canUnwrap = (wrap: WrappedKey): boolean => kms.canUnwrap(wrap, options.context)
  demand(!wraps.some(canUnwrap), 'a wrap of other keys counts as its own')
  const unknown: WrappedKey = {
    provider: 'nobody',
    kekId: 'https://attacker.example/key',
    kekVersion: '1',
    wrapped: new Uint8Array([1]),
  }
  demand(!canUnwrap(unknown), 'a wrap of another provider counts as its own')
  await demandCode(kms.unwrapDataKey([...wraps, unknown], options), 'ERR_ENVELOPE_UNKNOWN_KEY')
  await demandCode(kms.unwrapDataKey([], options), 'ERR_ENVELOPE_UNKNOWN_KEY')
}

export async function passesOver(
  kms: KeyManagementService,
  subject: KmsContractSubject,
): Promise<void> {
  const options = call()
  const foreign = await (await subject.createOther()).generateDataKey(options)
  const { plaintext, wraps } = await kms.generateDataKey(options)
  const mixed = [...foreign.wraps, ...wraps]
  demand(await sameDek(kms, mixed, options, plaintext), 'foreign wraps get in the way')
}

export async function rewraps(kms: KeyManagementService): Promise<void> {
  const options = call()
  const { plaintext, wraps } = await kms.generateDataKey(options)
  const next = await kms.rewrapDataKey(wraps, options)
  demand(next.length === wraps.length, 'rewrap does not write the configured set')
  demand(await sameDek(kms, next, options, plaintext), 'the new wraps open to another DEK')
  const broken = wraps.map((wrap) => ({ ...wrap, wrapped: new Uint8Array(60) }))
  await demandCode(kms.rewrapDataKey(broken, options), 'ERR_DECRYPT_FAILED')
}

export async function unwrapsMany(
  kms: KeyManagementService,
  subject: KmsContractSubject,
): Promise<void> {
  const [one, two] = [call({ n: '1' }), call({ n: '2' })]
  const a = await kms.generateDataKey(one)
  const b = await kms.generateDataKey(two)
  const foreign = await (await subject.createOther()).generateDataKey(one)
  const outcomes = await kms.unwrapMany(
    [
      { wraps: a.wraps, context: one.context },
      { wraps: foreign.wraps, context: one.context },
      { wraps: b.wraps, context: two.context },
    ],
    {},
  )
  demand(outcomes.length === 3, 'not one outcome for each item')
  const [first, second, third] = outcomes
  demand(
    first?.ok === true && equalBytes(first.value.plaintext.expose(), a.plaintext.expose()),
    'item 1',
  )
  demand(second?.ok === false && isKmsError(second.error, 'ERR_ENVELOPE_UNKNOWN_KEY'), 'item 2')
  demand(
    third?.ok === true && equalBytes(third.value.plaintext.expose(), b.plaintext.expose()),
    'item 3',
  )
  demand((await kms.unwrapMany([], {})).length === 0, 'an empty batch is not empty')
}

export async function namesVersions(kms: KeyManagementService): Promise<void> {
  const options = call()
  const versions = await kms.currentVersion(optionsOf(kms))
  const { wraps } = await kms.generateDataKey(options)
  demand(versions.length === wraps.length, 'not one version for each KEK')
  for (const wrap of wraps) {
    const found = versions.some(
      (version) =>
        version.provider === wrap.provider &&
        version.kekId === wrap.kekId &&
        version.kekVersion === wrap.kekVersion,
    )
    demand(found, 'a wrap is under a version that is not current')
  }
}

export async function rotatesKey(kms: KeyManagementService): Promise<void> {
  const options = call()
  const before = await kms.generateDataKey(options)
  const next = await kms.rotateKey(options)
  demand(next.length === before.wraps.length, 'not one version for each KEK')
  demand(await sameDek(kms, before.wraps, options, before.plaintext), 'an old wrap does not open')
  const after = await kms.rewrapDataKey(before.wraps, options)
  demand(await sameDek(kms, after, options, before.plaintext), 'a rewrap does not open')
  if (!kms.capabilities.revealsVersion) return
  demand(after[0]?.kekVersion !== before.wraps[0]?.kekVersion, 'the version did not change')
  demand(
    (await kms.unwrapDataKey(before.wraps, options)).current !== true,
    'an old wrap is called current',
  )
}

export async function refusesRotation(kms: KeyManagementService): Promise<void> {
  await demandCode(kms.rotateKey(call()), 'ERR_KMS_UNSUPPORTED')
}

export async function isHealthy(kms: KeyManagementService): Promise<void> {
  const report = await kms.healthCheck(optionsOf(kms))
  demand(report.healthy && report.checks.length > 0, 'it does not say that it is healthy')
  demand(
    report.checks.every((check) => check.healthy && check.kekId !== ''),
    'a KEK is not healthy',
  )
}

export async function honoursAbort(kms: KeyManagementService): Promise<void> {
  const reason = new Error('stop')
  const options = { ...call(), signal: AbortSignal.abort(reason) }
  const wraps = (await kms.generateDataKey(call())).wraps
  const dek = SecretBytes.take(crypto.getRandomValues(new Uint8Array(32)))
  const calls = [
    kms.generateDataKey(options),
    kms.wrapDataKey(dek, options),
    kms.unwrapDataKey(wraps, options),
    kms.rewrapDataKey(wraps, options),
    kms.currentVersion(options),
  ]
  for (const outcome of await Promise.allSettled(calls)) {
    demand(outcome.status === 'rejected' && outcome.reason === reason, 'an abort is not passed on')
  }
}

export async function leavesPlaintext(kms: KeyManagementService): Promise<void> {
  const bytes = crypto.getRandomValues(new Uint8Array(32))
  const dek = SecretBytes.copy(bytes)
  await kms.wrapDataKey(dek, call())
  demand(equalBytes(dek.expose(), bytes), 'wrapDataKey changed or disposed the DEK')
}

export async function printsNothing(kms: KeyManagementService): Promise<void> {
  const { plaintext } = await kms.generateDataKey(call())
  const printed = `${String(plaintext)} ${JSON.stringify(plaintext)} ${JSON.stringify({ plaintext })}`
  demand(
    /^\[secret\] "\[secret\]" \{"plaintext":"\[secret\]"\}$/.test(printed),
    'a DEK prints itself',
  )
}

export async function refusesOtherHalf(kms: KeyManagementService): Promise<void> {
  const wraps = [{ provider: 'x', kekId: 'x', kekVersion: '', wrapped: new Uint8Array([1]) }]
  if (kms.capabilities.usage === 'decrypt') {
    await demandCode(kms.generateDataKey(call()), 'ERR_KMS_UNSUPPORTED')
  } else {
    await demandCode(kms.unwrapDataKey(wraps, call()), 'ERR_KMS_UNSUPPORTED')
  }
}

const empty = new Uint8Array(0)
