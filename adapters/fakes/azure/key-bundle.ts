import type { JsonObject } from '../../../src/http/index.ts'
import { originOf } from './authorize.ts'
import {
  type DeletedKey,
  publicMembers,
  type StoredKey,
  type StoredVersion,
  versionOf,
} from './key-store.ts'
import type { VaultCall } from './vault-call.ts'

/** For so long a deleted key can be recovered. */
const RECOVERABLE_DAYS = 90

/** Returns one version of a key, as the vault shows it. */
export async function bundle(
  call: VaultCall,
  key: StoredKey,
  version: StoredVersion,
): Promise<JsonObject> {
  const kid = kidOf(call, key, version, true)
  const members = await publicMembers(version)
  return {
    key: { kid, kty: key.kty, key_ops: version.operations, ...members },
    ...attributesOf(version),
  }
}

/** Times, state and tags of a version; of a list, all that it tells. */
export function attributesOf({
  enabled,
  createdAtMs,
  notBeforeMs,
  expiresAtMs,
  tags,
}: StoredVersion): JsonObject {
  const seconds = (ms: number): number => Math.floor(ms / 1_000)
  return {
    attributes: {
      enabled,
      created: seconds(createdAtMs),
      updated: seconds(createdAtMs),
      ...(notBeforeMs !== undefined && { nbf: seconds(notBeforeMs) }),
      ...(expiresAtMs !== undefined && { exp: seconds(expiresAtMs) }),
      recoveryLevel: 'Recoverable+Purgeable',
      recoverableDays: RECOVERABLE_DAYS,
    },
    ...(tags !== undefined && { tags }),
  }
}

/** Returns the id of a version, as a URL. */
export function kidOf(
  { record, defects }: VaultCall,
  { name }: Pick<StoredKey, 'name'>,
  { version }: StoredVersion,
  isBundle = false,
): string {
  const base = `${originOf(record.host)}/keys/${name}`
  return defects.has('answers-without-version') && !isBundle ? base : `${base}/${version}`
}

/** The same of a key that was deleted, with its dates and the way back. */
export async function deletedBundle(
  call: VaultCall,
  { key, atMs }: DeletedKey,
): Promise<JsonObject> {
  const recoveryId = `${originOf(call.record.host)}/deletedkeys/${key.name}`
  const deletedDate = Math.floor(atMs / 1_000)
  const scheduledPurgeDate = deletedDate + RECOVERABLE_DAYS * 86_400
  const dates = { deletedDate, scheduledPurgeDate }
  return { ...(await bundle(call, key, versionOf(key, ''))), recoveryId, ...dates }
}
