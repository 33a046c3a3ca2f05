/**
 * The resource that a challenge asks a token for: `resource` of vaults, `scope` of later services;
 * `undefined` where the header names none.
 *
 * @see https://learn.microsoft.com/azure/key-vault/general/authentication-requests-and-responses
 */
export function challengeResource(headers: Pick<Headers, 'get'>): string | undefined {
  const header = headers.get('www-authenticate') ?? ''
  const [, name, value = ''] = /[\s,](resource|scope)="([^"]{0,512})"/i.exec(header) ?? []
  if (name === undefined) return undefined
  return value.replace(/\/\.default$/, '').replace(/\/$/, '')
}
