import { encodeUtf8 } from '../../../src/bytes/index.ts'
import type { PlainAnswer } from '../support/fault-bodies.ts'
import type { Refusal } from './errors.ts'

/** The content of an answer, before a protocol gives it a form. */
export type AnswerValue =
  string | number | boolean | Date | readonly AnswerValue[] | AnswerObject | undefined

/** Members of an answer. */
export interface AnswerObject {
  readonly [name: string]: AnswerValue
}

/** Form of an answer, and the content of each. */
export interface AnswerForm {
  readonly requestId: string
  /** The server's clock, for the Date header. */
  readonly nowMs: number
}

const XMLNS = 'https://sts.amazonaws.com/doc/2011-06-15/'

/** JSON 1.1, as KMS answers. */
export function kmsAnswer(members: object, form: AnswerForm): PlainAnswer {
  return answer(200, 'application/x-amz-json-1.1', JSON.stringify(members), form)
}

/** `{"__type":…,"message":…}`; without `message` where AWS sends none. */
export function kmsError(refusal: Refusal, form: AnswerForm): PlainAnswer {
  const { code, status } = refusal.as('json')
  const { message } = refusal
  const body = JSON.stringify({ __type: code, ...(message !== '' && { message }) })
  return answer(status, 'application/x-amz-json-1.1', body, form)
}

/** The query protocol: XML, or JSON where the client asks for it. */
export function stsAnswer(
  action: string,
  result: AnswerObject,
  form: AnswerForm & { readonly json: boolean },
): PlainAnswer {
  const metadata = { ResponseMetadata: { RequestId: form.requestId } }
  const members = { [`${action}Result`]: result, ...metadata }
  return form.json
    ? answer(
        200,
        'application/json',
        JSON.stringify(epochs({ [`${action}Response`]: members })),
        form,
      )
    : answer(200, 'text/xml', xml(`${action}Response`, members), form)
}

/** Errors of the query protocol, in the form that was asked for. */
export function stsError(
  refusal: Refusal,
  form: AnswerForm & { readonly json: boolean },
): PlainAnswer {
  const { code, status } = refusal.as('query')
  const type = status >= 500 ? 'Receiver' : 'Sender'
  const { requestId: RequestId } = form
  if (form.json) {
    const error = { Code: code, Message: refusal.message, Type: type }
    return answer(status, 'application/json', JSON.stringify({ Error: error, RequestId }), form)
  }
  const error = { Type: type, Code: code, Message: refusal.message }
  return answer(status, 'text/xml', xml('ErrorResponse', { Error: error, RequestId }), form)
}

function answer(status: number, contentType: string, body: string, form: AnswerForm): PlainAnswer {
  const headers = {
    'content-type': contentType,
    'content-length': String(encodeUtf8(body).length),
    'cache-control': 'no-cache, no-store, must-revalidate, private',
    date: new Date(form.nowMs).toUTCString(),
    'x-amzn-requestid': form.requestId,
  }
  return { status, headers, body }
}

/** Times are seconds since the epoch in JSON. */
function epochs(value: AnswerValue): unknown {
  if (value instanceof Date) return value.getTime() / 1_000
  if (typeof value !== 'object') return value
  if (isList(value)) return value.map(epochs)
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, epochs(one)]))
}

function isList(value: AnswerValue): value is readonly AnswerValue[] {
  return Array.isArray(value)
}

function xml(name: string, members: AnswerObject): string {
  return `<${name} xmlns="${XMLNS}">${inside(members)}</${name}>\n`
}

function inside(members: AnswerObject): string {
  return Object.entries(members)
    .map(([name, value]) => `<${name}>${element(value)}</${name}>`)
    .join('')
}

/** Times are ISO 8601 in XML. */
function element(value: AnswerValue): string {
  if (value instanceof Date) return value.toISOString().replace('.000Z', 'Z')
  if (isList(value)) return value.map((one) => `<member>${element(one)}</member>`).join('')
  if (typeof value === 'object') return inside(value)
  return escapeXml(String(value ?? ''))
}

function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}
