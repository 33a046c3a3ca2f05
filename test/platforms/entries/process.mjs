/** For Node, Deno and Bun: the request is on stdin, so that no secret is in a list of processes. */
import process from 'node:process'
import { answer } from '../program.mjs'

let text = ''
process.stdin.setEncoding('utf8')
for await (const piece of process.stdin) text += piece
process.stdout.write(JSON.stringify(await answer(JSON.parse(text))))
