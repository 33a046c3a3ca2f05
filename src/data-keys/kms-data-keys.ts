import { KmsSource } from './kms-source.ts'
import type { KmsDataKeysOptions } from './source-options.ts'

/** A `DataKeySource` without a cache: one data key for each message, one unwrap for each read. */
export class KmsDataKeys extends KmsSource {
  /** @throws KmsError `ERR_KMS_CONFIG` */
  constructor(options: KmsDataKeysOptions) {
    super(options, undefined)
  }
}
