export { chooseKms } from './choose-kms.ts'
export { composeStack, type KeyStack, type StackCacheConfig } from './compose-stack.ts'
export { CONFIG, KEY_VARIABLES, variablesIn } from './key-variables.ts'
export { type Stack, stackFromEnv } from './stack-from-env.ts'
export type {
  KmsSource,
  KmsSourceOptions,
  StackFromEnvOptions,
  StackPlan,
} from './stack-options.ts'
