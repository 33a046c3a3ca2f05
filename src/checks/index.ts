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
