export {
  allows,
  demandAllowed,
  demandKeyAllowed,
  type PolicyDecision,
  type PolicyRequest,
  type PolicyRule,
} from './allows.ts'
export type { ContextPattern } from './context-pattern.ts'
export {
  parsePolicy,
  type Policy,
  POLICY_OPERATIONS,
  type PolicyConfig,
  type PolicyOperation,
} from './policy.ts'
