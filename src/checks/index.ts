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
  describe,
  flag,
  integer,
  oneOf,
  optionError,
  placed,
  refuseOthers,
  share,
  unknownOption,
  wrongOption,
} from './options.ts'
export {
  demandVariable,
  fileVariable,
  flagVariable,
  fromVariable,
  variableNames,
  variableOf,
} from './variables.ts'
