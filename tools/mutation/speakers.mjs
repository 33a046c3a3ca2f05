/** Functions and classes of the source that make an error: texts in their calls are for people. */
export const SPEAKERS = [
  'KmsError',
  'checkNumber',
  'configError',
  'integer',
  'malformed',
  'oneOf',
  'optionError',
  'refusal',
  'share',
  'wrongLength',
  'wrongOption',
]
