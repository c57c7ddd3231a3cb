/** Go's text/template with sprig. */
export { execute, parseTemplates, type TemplateSet } from '../lang/gotemplate/template-set.ts'
export { sprigFunctions, type SprigPorts } from '../lang/gotemplate/sprig/sprig.ts'
export type { Problem, Result } from '../lib/result.ts'
