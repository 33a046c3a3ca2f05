/** The template's policies are enough, and each action in them is needed. */
import assert from 'node:assert/strict'
import { urlEvent } from './events.mjs'
import { withFunction } from './function-process.mjs'

const listed = (value) => (Array.isArray(value) ? value : [value])

/** The statements without one action. */
const without = (statements, action) =>
  statements
    .map((one) => ({ ...one, Action: listed(one.Action).filter((name) => name !== action) }))
    .filter(({ Action }) => Action.length > 0)

/** What each action of the function URL is for; one that is not here fails the check. */
const uses = {
  'kms:GenerateDataKey': urlEvent('PUT', '/cards/p', '4111'),
  'dynamodb:PutItem': urlEvent('PUT', '/cards/p', '4111'),
  'kms:Decrypt': urlEvent('GET', '/cards/a'),
  'dynamodb:GetItem': urlEvent('GET', '/cards/a'),
  'kms:ReEncryptFrom': urlEvent('POST', '/cards/a/rewrap'),
  'kms:ReEncryptTo': urlEvent('POST', '/cards/a/rewrap'),
}

/** moto has one name for both halves of a ReEncrypt, and knows no conditions. */
const asMotoKnows = (statements) =>
  statements.map((one) => ({
    ...one,
    Action: listed(one.Action).flatMap((name) =>
      /^kms:ReEncrypt/.test(name) ? [name, 'kms:ReEncrypt'] : [name],
    ),
  }))

export async function checkPolicies(check, { aws, template, env, ric, root }) {
  const statements = template.statementsOf('Http')
  const actions = statements.flatMap(({ Action }) => listed(Action))
  const ask = async (label, Statement, event) => {
    const user = await aws.userWith(label, JSON.stringify({ Version: '2012-10-17', Statement }))
    const place = { ric, root, handler: 'http.handler', env: { ...env, ...user } }
    return withFunction(place, (fn) => fn.invoke(event).catch((error) => ({ error })))
  }
  await check('the policy names no action that nothing needs', () => {
    assert.deepEqual(actions.toSorted(), Object.keys(uses).toSorted())
  })
  for (const action of actions) {
    if (action.startsWith('kms:ReEncrypt')) continue
    await check(`without ${action} the function is refused`, async () => {
      const answer = await ask(
        `no-${action.replace(':', '-')}`,
        without(statements, action),
        uses[action],
      )
      if (action.startsWith('kms:')) {
        assert.equal(answer.statusCode, 403)
        assert.equal(JSON.parse(answer.body).code, 'ERR_KMS_ACCESS_DENIED')
      } else assert.match(String(answer.error), /AccessDenied/)
    })
  }
}
