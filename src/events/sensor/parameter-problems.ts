import { setAt } from '../../lang/gjson/sjson.ts'
import { isObject, own } from '../../lib/json.ts'
import { textOf } from '../../lib/fields.ts'
import type { Problem } from '../../lib/result.ts'
import type { TriggerParameter } from '../parameters/apply.ts'
import type { CheckTemplate } from './dependency-problems.ts'
import { parameterShape } from './sensor.ts'
import { checkShape } from './shape.ts'

/** What parameters are checked against. */
export interface ParameterWorld {
  /** Names of the Sensor's dependencies. */
  readonly dependencies: ReadonlySet<string>
  readonly template: CheckTemplate
}

const operations = ['', 'append', 'overwrite', 'prepend']

/** What would keep parameters from ever being put in. Those of a payload need no destination: they are all of it. */
export function parameterProblems(
  parameters: readonly TriggerParameter[],
  at: string,
  world: ParameterWorld,
  needsDest: boolean,
): readonly Problem[] {
  return parameters.flatMap((parameter, index) => {
    const here = `${at}[${index}]`
    const { dest = '', operation = '' } = parameter
    // A shape says what a source looks like, not that there is one.
    const src: unknown = parameter.src
    if (!isObject(src)) return [problem(`${here}.src`, 'a parameter needs src, which says where its value comes from')]
    return [
      ...sourceProblems(src, `${here}.src`, world),
      ...destProblems(dest, `${here}.dest`, needsDest),
      ...(operations.includes(operation)
        ? []
        : [
            problem(
              `${here}.operation`,
              `${JSON.stringify(operation)} is not an operation: use overwrite, append or prepend`,
            ),
          ]),
    ]
  })
}

const problem = (at: string, message: string): Problem => ({ code: 'event-parameter-invalid', at, message })

function sourceProblems(src: unknown, at: string, { dependencies, template }: ParameterWorld): readonly Problem[] {
  const name = textOf(src, 'dependencyName')
  const known = [...dependencies].join(', ') || 'none'
  const unknown =
    name === ''
      ? ['a parameter must name the dependency that it reads']
      : dependencies.has(name)
        ? []
        : [`${JSON.stringify(name)} is not the name of a dependency (there is ${known})`]
  const templates = (['dataTemplate', 'contextTemplate'] as const).flatMap((field) => {
    const text = textOf(src, field)
    const made = text === '' ? undefined : template(text)
    return made && !made.ok ? [problem(`${at}.${field}`, made.error[0]?.message ?? '')] : []
  })
  return [...unknown.map((message) => problem(`${at}.dependencyName`, message)), ...templates]
}

function destProblems(dest: string, at: string, isNeeded: boolean): readonly Problem[] {
  if (dest === '') return isNeeded ? [problem(at, 'a parameter must say where its value is put')] : []
  const set = setAt({}, dest, '')
  return set.ok ? [] : [problem(at, set.error[0]?.message ?? '')]
}

/** The same for whatever lists of parameters a kind of trigger has: for what it makes, and for what it sends. */
export function sectionParameterProblems(section: unknown, at: string, world: ParameterWorld): readonly Problem[] {
  if (!isObject(section)) return []
  return (['parameters', 'payload'] as const).flatMap((field) => {
    const list = own(section, field)
    if (list === undefined || list === null) return []
    const shape = checkShape(list, { list: parameterShape }, `${at}.${field}`)
    if (shape.problems.length > 0) return shape.problems
    return parameterProblems(list as readonly TriggerParameter[], `${at}.${field}`, world, field === 'parameters') // of that shape
  })
}
