import { wrongOption } from '../../checks/index.ts'

/** Segments of letters, digits, `_`, `.` and `-` that neither begin nor end with a dot or dash. */
const PATH = /^\w(?:[\w.-]*\w)?(?:\/\w(?:[\w.-]*\w)?)*$/

/**
 * Checks a mount or a namespace: it becomes part of a URL.
 *
 * @throws KmsError `ERR_KMS_CONFIG`
 */
export function checkVaultPath(name: string, path: string): string {
  if (typeof path === 'string' && path.length <= 256 && PATH.test(path)) return path
  throw wrongOption(name, 'a path of Vault, e.g. admin/team-a: no slash or dot at its ends', path)
}
