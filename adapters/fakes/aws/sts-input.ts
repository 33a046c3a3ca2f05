import { Refusal } from './errors.ts'

/** The input that both ways to assume a role take. */
export interface SessionInput {
  readonly roleArn: string
  readonly sessionName: string
  readonly durationSeconds: number
  readonly externalId?: string
  readonly sourceIdentity?: string
}

/**
 * Reads and checks the parameters of a session.
 *
 * @throws Refusal `validation`
 * @see https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
 */
export function sessionInput(parameters: URLSearchParams): SessionInput {
  const externalId = optional(parameters, 'ExternalId', /^[\w+=,.@:/-]{2,1224}$/)
  const sourceIdentity = optional(parameters, 'SourceIdentity', /^[\w+=,.@-]{2,64}$/)
  return {
    roleArn: required(parameters, 'RoleArn', /^arn:[\w+=,.@:/-]{16,2044}$/),
    sessionName: required(parameters, 'RoleSessionName', /^[\w+=,.@-]{2,64}$/),
    durationSeconds: duration(parameters.get('DurationSeconds')),
    ...(externalId !== undefined && { externalId }),
    ...(sourceIdentity !== undefined && { sourceIdentity }),
  }
}

function required(parameters: URLSearchParams, name: string, pattern: RegExp): string {
  const value = optional(parameters, name, pattern)
  if (value === undefined) throw broken(name, 'Member must not be null')
  return value
}

function optional(parameters: URLSearchParams, name: string, pattern: RegExp): string | undefined {
  const value = parameters.get(name) ?? undefined
  if (value === undefined || pattern.test(value)) return value
  throw broken(name, `Member must satisfy regular expression pattern: ${pattern.source}`)
}

function duration(text: string | null): number {
  if (text === null) return 3_600
  if (!/^\d{1,9}$/.test(text)) throw new Refusal('serialization')
  const seconds = Number(text)
  if (seconds < 900) throw broken('DurationSeconds', 'Member must have value >= 900')
  if (seconds > 43_200) throw broken('DurationSeconds', 'Member must have value <= 43200')
  return seconds
}

function broken(name: string, constraint: string): Refusal {
  const member = name.charAt(0).toLowerCase() + name.slice(1)
  return new Refusal(
    'validation',
    `1 validation error detected: Value at '${member}' failed to satisfy constraint: ${constraint}`,
  )
}
