import { wrongOption } from '../kms/index.ts'

/** @throws KmsError `ERR_KMS_CONFIG` if it is no integer of this range */
export function integer(name: string, value: number, min: number, max: number): number {
  if (Number.isInteger(value) && value >= min && value <= max) return value
  throw wrongOption(name)
}

/** @throws KmsError `ERR_KMS_CONFIG` if it is not above 0 and at most 1 */
export function share(name: string, value: number): number {
  if (typeof value === 'number' && value > 0 && value <= 1) return value
  throw wrongOption(name)
}
