export { webRuntime } from './web-runtime.ts'
