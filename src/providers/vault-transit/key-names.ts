import { utf8Length } from '../../bytes/index.ts'
import { wrongOption } from '../../checks/index.ts'

/** Names that transit takes: https://developer.hashicorp.com/vault/api-docs/secret/transit */
const KEY_NAME = /^\w(?:[\w.-]{0,126}\w)?$/

/** @throws KmsError `ERR_KMS_CONFIG` */
export function checkKeyName(name: string): string {
  if (typeof name === 'string' && KEY_NAME.test(name)) return name
  throw wrongOption('key', 'the name of a transit key: letters, digits or _.-', name)
}

/** @throws KmsError `ERR_KMS_CONFIG` */
export function checkKekId(kekId: string): string {
  const bytes = typeof kekId === 'string' ? utf8Length(kekId) : 0 // -1: not well formed
  if (bytes >= 1 && bytes <= 2_048) return kekId
  throw wrongOption('kekId', 'a string of 1 to 2,048 bytes', kekId)
}
