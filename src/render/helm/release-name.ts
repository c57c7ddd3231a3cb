import type { SprigPorts } from '../../lang/gotemplate/sprig/sprig.ts'
import { execute, parseTemplates } from '../../lang/gotemplate/template-set.ts'
import type { Result } from '../../lib/result.ts'
import { helmFunctions } from './functions.ts'

/** Renders the template of a release name. */
export function renderName(template: string, ports: SprigPorts): Result<string> {
  const set = parseTemplates([{ name: 'name-template', text: template }], helmFunctions(3, ports))
  return set.ok ? execute(set.value, 'name-template', undefined) : set
}
