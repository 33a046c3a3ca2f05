import { type Bytes, concatBytes, copyBytes, encodeU64, equalBytes } from '../../bytes/index.ts'
import { encodeHead, type KeyHeader, LIMITS, parseMessage, WIRE_VERSION } from '../../wire/index.ts'
import type { StoreAuth } from './store-auth.ts'

/** Ids are drawn at random. */
export const ID_BYTES = 16
const NOT_AFTER_BYTES = 8
const VERSION = 0x01
const LEASED = 0x01
const ACTIVE = 0x02

/** One process is at work on the next data key. */
export interface Lease {
  readonly holder: Bytes
  readonly untilMs: number
}

/** The pointer of the wire format (W5.9) and the record that it points to, in one value. */
export interface ActiveEntry {
  readonly commitment: Bytes
  readonly notAfterMs: number
  readonly mac: Bytes
  /** A data-key record. */
  readonly record: Bytes
}

/**
 * The store's record for one context: the active data key, and the process that makes the next one. One
 * value, so that one compare-and-swap moves both, and one read sees both.
 */
export interface Slot {
  /** The partition's epoch when this was written. */
  readonly epoch: Bytes
  readonly lease?: Lease | undefined
  readonly active?: ActiveEntry | undefined
}

/** version, flags, epoch; lease: holder, until; active: pointer, record to the end; MAC. */
export async function encodeSlot(auth: StoreAuth, name: string, slot: Slot): Promise<Bytes> {
  const { epoch, lease, active } = slot
  const flags = (lease ? LEASED : 0) | (active ? ACTIVE : 0)
  const body = concatBytes(
    new Uint8Array([VERSION, flags]),
    epoch,
    ...(lease ? [lease.holder, encodeU64(lease.untilMs)] : []),
    ...(active ? [active.commitment, encodeU64(active.notAfterMs), active.mac, active.record] : []),
  )
  return concatBytes(body, await auth.valueMac(name, body))
}

/** A slot that was written under this key and name, or `undefined`. */
export async function decodeSlot(
  auth: StoreAuth,
  name: string,
  bytes: Bytes,
): Promise<Slot | undefined> {
  const end = bytes.length - auth.macBytes
  const body = copyBytes(bytes.subarray(0, Math.max(end, 0)))
  const parts = parse(body, auth.macBytes)
  if (parts === undefined) return undefined
  return (await auth.isValue(copyBytes(bytes.subarray(end)), name, body)) ? parts : undefined
}

/** A pointer to a data key, with its record. */
export async function pointTo(
  auth: StoreAuth,
  header: KeyHeader,
  notAfterMs: number,
): Promise<ActiveEntry> {
  const { commitment } = header
  const mac = await auth.pointerMac(commitment, encodeU64(notAfterMs))
  return { commitment, notAfterMs, mac, record: encodeHead('data-key-record', header.bytes) }
}

/** Whether a pointer is authentic (W5.9), or the store is trusted. */
export function isAuthentic(auth: StoreAuth, active: ActiveEntry): Promise<boolean> {
  return auth.isPointer(active.mac, active.commitment, encodeU64(active.notAfterMs))
}

/** The header that a pointer points to, or `undefined`: no record, or that of another data key. */
export function headerOf(active: ActiveEntry, maxWraps: number): KeyHeader | undefined {
  try {
    const policy = {
      acceptVersions: [WIRE_VERSION],
      acceptKinds: ['data-key-record'] as const,
      maxWraps,
    }
    const { header } = parseMessage(active.record, policy)
    return header && equalBytes(header.commitment, active.commitment) ? header : undefined
  } catch {
    return undefined
  }
}

function parse(body: Bytes, macBytes: number): Slot | undefined {
  let at = 0
  const take = (length: number): Bytes => copyBytes(body.subarray(at, (at += length)))
  const [version, flags] = take(2)
  if (version !== VERSION || flags === undefined || flags > (LEASED | ACTIVE)) return undefined
  const epoch = take(ID_BYTES)
  const lease =
    (flags & LEASED) === 0 ? undefined : { holder: take(ID_BYTES), untilMs: readU64(take(8)) }
  const active =
    (flags & ACTIVE) === 0
      ? undefined
      : {
          commitment: take(LIMITS.commitmentBytes),
          notAfterMs: readU64(take(NOT_AFTER_BYTES)),
          mac: take(macBytes),
          record: take(Math.max(body.length - at, 1)),
        }
  return at === body.length ? { epoch, lease, active } : undefined
}

/** NaN where the bytes end too early; what no clock says is as good. */
function readU64(bytes: Bytes): number {
  if (bytes.length < 8) return NaN
  return Number(new DataView(bytes.buffer).getBigUint64(0))
}
