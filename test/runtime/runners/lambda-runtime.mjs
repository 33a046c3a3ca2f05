/** A custom runtime of Lambda: takes invocations from the Runtime API and answers each. */
const { AWS_LAMBDA_RUNTIME_API: api, LAMBDA_TASK_ROOT: root, _HANDLER: name } = process.env
const base = `http://${api}/2018-06-01/runtime/invocation`
const { handler } = await import(`${root}/${name}.mjs`)

for (;;) {
  const next = await fetch(`${base}/next`)
  const id = next.headers.get('lambda-runtime-aws-request-id')
  const answer = (kind, body) =>
    fetch(`${base}/${id}/${kind}`, { method: 'POST', body: JSON.stringify(body) })
  try {
    await answer('response', await handler(await next.json()))
  } catch (error) {
    await answer('error', { errorType: error.name, errorMessage: String(error.stack) })
  }
}
