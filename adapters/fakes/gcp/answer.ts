import { encodeUtf8 } from '../../../src/bytes/index.ts'
import type { JsonObject } from '../../../src/http/index.ts'
import type { PlainAnswer } from '../support/fault-bodies.ts'
import type { OAuthRefusal, Refusal } from './errors.ts'

/** The facts that an answer's form depends on. */
export interface AnswerForm {
  /** The server's clock, for the Date header. */
  readonly nowMs: number
  /** `$alt=json;enum-encoding=int`, as Google's own clients ask for it. */
  readonly numericEnums: boolean
}

/** Numbers of the enums that answers hold: google/cloud/kms/v1/resources.proto. */
const ENUMS: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  state: {
    PENDING_GENERATION: 5,
    ENABLED: 1,
    DISABLED: 2,
    DESTROYED: 3,
    DESTROY_SCHEDULED: 4,
  },
  purpose: { ENCRYPT_DECRYPT: 1, ASYMMETRIC_SIGN: 5, ASYMMETRIC_DECRYPT: 6, MAC: 9 },
  protectionLevel: { SOFTWARE: 1, HSM: 2 },
  algorithm: { GOOGLE_SYMMETRIC_ENCRYPTION: 1, EC_SIGN_P256_SHA256: 12 },
}

/** The name of an enum's value, whichever way it was given. */
export function enumName(field: string, value: unknown): string | undefined {
  const names = ENUMS[field] ?? {}
  if (typeof value === 'string') return Object.hasOwn(names, value) ? value : undefined
  return Object.keys(names).find((name) => names[name] === value)
}

/** Members that are false, empty or absent are left out, as proto3's JSON does. */
export function jsonAnswer(members: JsonObject, form: AnswerForm): PlainAnswer {
  const body = shaped(members, form.numericEnums)
  return answer(200, JSON.stringify(body, null, 2), form)
}

/** `{"error":{"code","message","status","details"}}` of AIP-193. */
export function errorAnswer(refusal: Refusal, form: AnswerForm): PlainAnswer {
  const { http: code, status, reason, violation } = refusal.row
  const details = [
    ...(reason === undefined ? [] : [info(reason)]),
    ...(violation === undefined ? [] : [precondition(violation, refusal.subject)]),
  ]
  const { message } = refusal
  const error = { code, message, status, ...(details.length > 0 && { details }) }
  const challenge = { 'www-authenticate': 'Bearer realm="https://accounts.google.com/"' }
  const more = code === 401 ? challenge : {}
  return answer(code, JSON.stringify({ error }, null, 2), form, more)
}

/** `{"error","error_description"}` of RFC 6749 section 5.2. */
export function oauthError({ code, message }: OAuthRefusal, form: AnswerForm): PlainAnswer {
  return answer(400, JSON.stringify({ error: code, error_description: message }), form)
}

/** The answer of Google's front end to a path that it does not know. */
export function unknownPath(form: AnswerForm): PlainAnswer {
  const page = '<!DOCTYPE html>\n<html lang=en>\n<title>Error 404 (Not Found)!!1</title>\n'
  return answer(404, page, form, { 'content-type': 'text/html; charset=UTF-8' })
}

function answer(
  status: number,
  body: string,
  { nowMs }: AnswerForm,
  more: Readonly<Record<string, string>> = {},
): PlainAnswer {
  const headers = {
    'content-type': 'application/json; charset=UTF-8',
    'content-length': String(encodeUtf8(body).length),
    'cache-control': 'private',
    date: new Date(nowMs).toUTCString(),
    ...more,
  }
  return { status, headers, body }
}

function shaped(value: unknown, numericEnums: boolean, field = ''): unknown {
  if (Array.isArray(value)) return value.map((one) => shaped(one, numericEnums))
  if (typeof value === 'object' && value !== null) {
    const members = Object.entries(value as JsonObject)
      .filter(([, one]) => one !== undefined && one !== false && one !== '')
      .map(([name, one]) => [name, shaped(one, numericEnums, name)])
    return Object.fromEntries(members) as JsonObject
  }
  if (!numericEnums || typeof value !== 'string') return value
  return ENUMS[field]?.[value] ?? value
}

function info(reason: string): JsonObject {
  const service = 'cloudkms.googleapis.com'
  return {
    '@type': 'type.googleapis.com/google.rpc.ErrorInfo',
    reason,
    domain: 'googleapis.com',
    metadata: { service },
  }
}

function precondition(type: string, subject: string): JsonObject {
  return {
    '@type': 'type.googleapis.com/google.rpc.PreconditionFailure',
    violations: [{ type, subject }],
  }
}
