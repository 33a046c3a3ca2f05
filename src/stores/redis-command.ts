import { wrongOption } from '../checks/index.ts'

/**
 * Sends one command to Redis, e.g. `['GET', 'key']`, and returns the answer: a string, a number, an array or `null`.
 * Rejects with the error that Redis names.
 *
 * It is a function and not a client, because the clients differ in everything else:
 * `(args) => client.sendCommand([...args])` of node-redis, `([name, ...args]) => redis.call(name, ...args)` of
 * ioredis, `([name, ...args]) => client.send(name, args)` of Bun, `redisOverHttp({ url, token })` without TCP.
 */
export type RedisCommand = (
  args: readonly [name: string, ...args: string[]],
  options: { readonly signal: AbortSignal },
) => Promise<unknown>

/** @throws KmsError `ERR_KMS_CONFIG` */
export function checkCommand(command: RedisCommand): RedisCommand {
  // A client handed over as it is would answer something else.
  if (typeof command !== 'function') {
    const expected =
      'a function that sends one command, e.g. (args) => client.sendCommand([...args])'
    throw wrongOption('command', expected, command)
  }
  return command
}
