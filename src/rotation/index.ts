export type * from './record-source.ts'
export { createRotationStep } from './rotation-step.ts'
