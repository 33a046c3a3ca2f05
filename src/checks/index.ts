export { type BrowserRule, refuseBrowser } from './browser.ts'
export { nearest } from './nearest.ts'
export {
  type Bound,
  type Bounds,
  checkNumber,
  checkNumbers,
  type Standards,
  standardsOf,
} from './numbers.ts'
export { checkFlags, checkOptions, isTexts, type OptionKinds } from './option-kinds.ts'
export {
  configError,
  demandFunction,
  demandMethods,
  demandSignal,
  describe,
  flag,
  integer,
  isPlain,
  oneOf,
  optionError,
  placed,
  plainOptions,
  refuseOthers,
  share,
  shown,
  unknownOption,
  wrongNumber,
  wrongOption,
} from './options.ts'
export {
  demandVariable,
  deniedVariables,
  fileVariable,
  flagVariable,
  fromVariable,
  refuseDenied,
  variableNames,
  variableOf,
} from './variables.ts'
