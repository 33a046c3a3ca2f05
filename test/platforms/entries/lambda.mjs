/** For Lambda: the request is the event. */
export { answer as handler } from '../program.mjs'
