import assert from 'node:assert/strict'
import { connect } from 'node:net'

/** Requests that curl does not send. Each is answered by a problem that is the client's. */
const REFUSED = {
  'two Host headers': 'GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nHost: localhost',
  'two different Host headers': 'GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nHost: evil.example',
  'a Host with a space': 'GET /healthz HTTP/1.1\r\nHost: a b',
  'a Host with a path': 'GET /healthz HTTP/1.1\r\nHost: 127.0.0.1/x',
  'no Host': 'GET /healthz HTTP/1.1',
  'a body by HTTP/1.0 without a length':
    'POST /v1/encrypt HTTP/1.0\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0',
  'a first chunk without a length':
    'POST /v1/encrypt HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nx\r\n0',
  'two headers of one name, each a context':
    'POST /v1/encrypt HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 0\r\nEdge-Kms-Context: {"a":"b"}\r\nEdge-Kms-Context: {"a":"c"}',
  Edge_Kms_Context:
    'POST /v1/encrypt HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 0\r\nEdge_Kms_Context: {"a":"b"}',
}

/**
 * Malformed requests over a socket.
 *
 * @param {import('./world.mjs').Report} report
 * @param {string} url
 */
export function checkRaw({ check }, url) {
  const port = Number(new URL(url).port)
  for (const [name, text] of Object.entries(REFUSED)) {
    void check(`${name} is refused with 400`, async () => {
      const answer = await exchange(port, `${text}\r\n\r\n`)
      assert.match(answer, /^HTTP\/1\.[01] 400 /)
      assert.doesNotMatch(answer, /^\s+at /m)
    })
  }

  void check('an upload that breaks off is a problem of the client', async () => {
    const head = 'POST /v1/encrypt HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 9\r\n\r\n'
    const answer = await exchange(port, `${head}four`, { ends: true })
    assert.doesNotMatch(answer, /^HTTP\/1\.1 (?:200|5)/)
  })
}

/** Returns the answer, read until the server closes or sends nothing more. @param {number} port @param {string} text */
function exchange(port, text, { ends = false } = {}) {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1')
    let answer = ''
    const end = () => {
      socket.destroy()
      resolve(answer)
    }
    socket.setTimeout(1_000, end)
    socket.setEncoding('latin1').on('data', (piece) => (answer += piece))
    socket.once('error', (error) => (answer === '' ? reject(error) : end()))
    socket.once('end', end)
    socket.write(text)
    if (ends) socket.end()
  })
}
