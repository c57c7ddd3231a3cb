export { fieldsOf, isSet, objectsOf, textOf, textsOf } from '../lib/fields.ts'
