/** The function for Lambda: every case runs inside one invocation. */
export { runSuite as handler } from './library.mjs'
