/** A page of each kind, which the cases look at in Chromium. */
export const kinds = {
  home: '/',
  guide: '/guides/caching',
  lesson: '/lessons/node',
  provider: '/providers/aws-kms',
  tables: '/reference/configuration',
  columns: '/reference/column-sizes',
  errors: '/error-codes',
  'API index': '/reference/api/',
  'API page': '/reference/api/edge-kms/aws-kms',
  missing: '/no-such-page',
}
