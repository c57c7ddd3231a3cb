import type { FunctionTable } from '../lang/gotemplate/function.ts'
import { execute, parseTemplates } from '../lang/gotemplate/template-set.ts'
import type { Result } from '../lib/result.ts'
import type { FillTemplate } from './filter/data-filter.ts'

const NAME = 'param'

/** Fills templates with some functions; `.Input` is what they are given. */
export function templateFiller(functions: FunctionTable): FillTemplate {
  return (template, input) => {
    const parsed = parseTemplates([{ name: NAME, text: template }], functions)
    return parsed.ok ? execute(parsed.value, NAME, { Input: structuredClone(input) }) : parsed
  }
}

/** Tells whether a template can be filled at all. */
export function templateChecker(functions: FunctionTable): (template: string) => Result<unknown> {
  return (template) => parseTemplates([{ name: NAME, text: template }], functions)
}
