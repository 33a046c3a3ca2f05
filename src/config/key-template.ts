import { optionError } from '../checks/index.ts'
import { KmsError } from '../errors.ts'
import type { EncryptionContext } from '../kms/index.ts'
import type { OneKmsConfig } from './one-kms.ts'

/** The name of a key with entries of the context in it. */
export interface KeyTemplate {
  /** A name of this form, to check all other options with. */
  readonly sample: string
  /**
   * Returns the name for a context, or `undefined` where an entry is missing.
   *
   * @throws KmsError `ERR_CONTEXT_INVALID` if a value could change what the name means
   */
  readonly expand: (context: EncryptionContext) => string | undefined
}

/** How the name of a key is written at one provider. */
interface Grammar {
  readonly option: string
  /** The text that must stand before the first entry: all customers have the same owner and place of their keys. */
  readonly fixed: RegExp
  readonly says: string
  /** Names that belong to somebody else. */
  readonly reserved?: RegExp
}

/** A value must not hold the text between two entries: `a-b` and `c` must not name the key of `a` and `b-c`. */
const VALUE = /^[A-Za-z0-9](?:[\w-]{0,62})$/
const LOWER_VALUE = /^[a-z0-9][a-z0-9-]{0,62}$/
const ENTRY = /\{([^{}]+)\}/g
const UUID = '00000000-0000-4000-8000-000000000000'

const GCP: Grammar = {
  option: 'keyName',
  fixed: /^projects\/[^{}/]+\/locations\/[^{}/]+\/keyRings\//,
  says: 'begin with projects/…/locations/…/keyRings/',
}

const GRAMMARS: Readonly<Record<OneKmsConfig['provider'], Grammar>> = {
  'aws-kms': {
    option: 'keyId',
    fixed: /^(?:arn:[^{}/]+:)?(?:alias|key)\//,
    says: 'begin with alias/ or an ARN up to alias/ or key/',
    reserved: /(?:^|:)alias\/aws\//,
  },
  'azure-key-vault': {
    option: 'keyId',
    fixed: /^https?:\/\/[^{}/]+\/keys\//,
    says: 'begin with the URL of the vault and /keys/',
  },
  'gcp-kms': GCP,
  'google-cloud-kms': GCP,
  'vault-transit': { option: 'key', fixed: /^/, says: '' },
  env: { option: 'kekId', fixed: /^/, says: '' },
  local: { option: 'kekId', fixed: /^/, says: '' },
}

/**
 * Returns the template that a configuration names its keys by.
 *
 * @throws KmsError `ERR_KMS_CONFIG`
 */
export function keyTemplate(
  provider: OneKmsConfig['provider'],
  text: string | undefined,
): KeyTemplate {
  const { option, fixed, says, reserved } = GRAMMARS[provider]
  const template = text ?? ''
  const parts = template.split(ENTRY) // text, entry, text, entry, …, text
  if (parts.length < 3) throw optionError(option, 'must have an entry of the context in braces')
  const texts = parts.filter((_, i) => i % 2 === 0)
  if (texts.some((one) => /[{}]/.test(one))) throw optionError(option, 'has a brace without a pair')
  if (!fixed.test(texts[0] ?? '')) throw optionError(option, `must ${says} before the first brace`)
  if (texts.slice(1, -1).some((one) => !/[^\w-]/.test(one)))
    throw optionError(option, 'must have a separator such as / between two entries in braces')
  const grammar = provider === 'azure-key-vault' ? LOWER_VALUE : VALUE // Azure ignores case.
  const fill = (valueOf: (entry: string) => string): string =>
    parts.map((part, i) => (i % 2 === 0 ? part : valueOf(part))).join('')
  const entries = parts.filter((_, i) => i % 2 === 1)
  return {
    sample: fill(() => (texts[0]?.endsWith('key/') ? UUID : 'sample')),
    expand: (context) => {
      if (entries.some((entry) => context[entry] === undefined)) return undefined
      const name = fill((entry) => checked(entry, context[entry] as string, grammar))
      if (reserved?.test(name)) throw wrongValue(entries[0] ?? '')
      return name
    },
  }
}

function checked(entry: string, value: string, grammar: RegExp): string {
  if (grammar.test(value)) return value
  throw wrongValue(entry)
}

function wrongValue(entry: string): KmsError {
  const message = `the context's ${JSON.stringify(entry.slice(0, 64))} cannot be part of the name of a key`
  return new KmsError('ERR_CONTEXT_INVALID', { message })
}
