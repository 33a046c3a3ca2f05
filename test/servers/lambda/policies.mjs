/** The template's policies are enough, and each action in them is needed. */
import assert from 'node:assert/strict'
import { urlEvent } from './events.mjs'
import { policyOf } from './aws.mjs'
import { withFunction } from './function-process.mjs'

const listed = (value) => (Array.isArray(value) ? value : [value])

/** The statements without one action. */
const without = (statements, action) =>
  statements
    .map((one) => ({ ...one, Action: listed(one.Action).filter((name) => name !== action) }))
    .filter(({ Action }) => Action.length > 0)

/** A request to the function URL that needs each action; an action without one fails the check. */
const uses = {
  'kms:GenerateDataKey': urlEvent('PUT', '/cards/p', '4111'),
  'dynamodb:PutItem': urlEvent('PUT', '/cards/p', '4111'),
  'kms:Decrypt': urlEvent('GET', '/cards/a'),
  'dynamodb:GetItem': urlEvent('GET', '/cards/a'),
  'kms:ReEncryptFrom': urlEvent('POST', '/cards/a/rewrap'),
  'kms:ReEncryptTo': urlEvent('POST', '/cards/a/rewrap'),
}

export async function checkPolicies(check, { aws, template, env, ric, root }) {
  const statements = template.statementsOf('Http')
  const actions = statements.flatMap(({ Action }) => listed(Action))
  const ask = async (label, statementsOfUser, event) => {
    const user = await aws.userWith(label, policyOf(statementsOfUser))
    const place = { ric, root, handler: 'http.handler', env: { ...env, ...user } }
    return withFunction(place, (fn) =>
      fn.invoke(event).catch((/** @type {unknown} */ error) => ({ error })),
    )
  }
  await check('the policy names no action that nothing needs', () => {
    assert.deepEqual(actions.toSorted(), Object.keys(uses).toSorted())
  })
  for (const action of actions) {
    // moto asks for neither half.
    if (action.startsWith('kms:ReEncrypt')) continue
    await check(`without ${action} the function is refused`, async () => {
      const label = action.replace(':', '-')
      const event = uses[action]
      assert.ok((await ask(`with-${label}`, statements, event)).statusCode < 300)
      const answer = await ask(`no-${label}`, without(statements, action), event)
      if (action.startsWith('kms:')) {
        assert.equal(answer.statusCode, 403)
        assert.equal(JSON.parse(answer.body).code, 'ERR_KMS_ACCESS_DENIED')
      } else {
        // moto refuses in XML, which the SDK cannot read.
        assert.match(String(answer.error), /AccessDenied|<\?xml/)
      }
    })
  }
}
