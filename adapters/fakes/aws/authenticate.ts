import { checkScope, parseAuthorization } from './authorization.ts'
import type { ReceivedRequest } from '../support/front-door.ts'
import { Refusal } from './errors.ts'
import type { FakeAwsDefect } from './options.ts'
import { hostFacts, type Service } from './place.ts'
import type { Principal, Principals } from './principals.ts'
import type { SignatureVerifier } from './sigv4-verify.ts'

/** The facts about a caller whose signature is right. */
export interface Caller {
  readonly principal: Principal
  readonly accessKeyId: string
  /** The region that the request is for. */
  readonly region: string
}

/** The expected parts of a signature. */
export interface AuthenticationRules {
  readonly service: Service
  readonly principals: Principals
  readonly verifier: SignatureVerifier
  readonly regions: readonly string[]
  readonly nowMs: number
  readonly defects: ReadonlySet<FakeAwsDefect>
}

/**
 * Finds out who sent a request.
 *
 * @throws Refusal `missingToken`, `incompleteSignature`, `invalidSignature`, `invalidToken`, `expiredToken`
 */
export async function authenticate(
  request: ReceivedRequest,
  { service, principals, verifier, regions, nowMs, defects }: AuthenticationRules,
): Promise<Caller> {
  const authorization = parseAuthorization(request)
  const { accessKeyId, region } = authorization
  // A host of AWS's own serves one region; any other stands for all of them.
  const host = hostFacts(request.url.hostname)
  checkScope(request, authorization, {
    service,
    regions: host === undefined ? regions : regions.filter((one) => one === host.region),
    nowMs,
  })
  const stored = principals.find(accessKeyId)
  const token = request.headers.get('x-amz-security-token') ?? undefined
  // Long-lived keys have no token, and those of a session are nothing without theirs.
  if (stored === undefined || stored.sessionToken !== token) throw new Refusal('invalidToken')
  const expired = stored.expiresAtMs !== undefined && nowMs >= stored.expiresAtMs
  if (expired && !defects.has('accepts-expired-credentials')) throw new Refusal('expiredToken')
  const matches = await verifier.matches(request, authorization, stored)
  if (!matches && !defects.has('accepts-any-signature')) throw new Refusal('invalidSignature')
  return { principal: stored.principal, accessKeyId, region }
}
