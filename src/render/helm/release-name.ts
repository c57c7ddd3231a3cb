import { execute, parseTemplates } from '../../lang/gotemplate/template-set.ts'
import type { Result } from '../../lib/result.ts'
import { helmFunctions } from './functions.ts'

/** Renders the template of a release name. */
export function renderName(template: string): Result<string> {
  const set = parseTemplates([{ name: 'name-template', text: template }], helmFunctions(3))
  return set.ok ? execute(set.value, 'name-template', undefined) : set
}
