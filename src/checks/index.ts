export {
  configError,
  describe,
  flag,
  integer,
  oneOf,
  refuseOthers,
  share,
  wrongOption,
} from './options.ts'
