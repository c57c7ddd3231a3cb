import { isObject } from '../../../lib/json.ts'
import { refuseBelow } from '../refusal.ts'
import { badValue, scalarProblem } from './bad-value.ts'
import { elementOf } from './list-element.ts'
import { fieldElement } from './path-element.ts'
import { settle, shapeOf, type Type } from './type.ts'

/** Checks that a value fits its type: shapes, declared fields, keys of list items and, unless allowed, no repeated items. */
export function validate(type: Type | undefined, value: unknown, allowsRepeats: boolean): void {
  check(type, value, { allowsRepeats, path: [] })
}

interface Check {
  readonly allowsRepeats: boolean
  readonly path: string[]
}

function check(type: Type | undefined, value: unknown, context: Check): void {
  refuseBelow(context.path.length)
  if (!type) return badValue(context.path, 'the schema has no type for this value')
  switch (settle(type, shapeOf(type, value))) {
    case 'map':
      return checkMap(type, value, context)
    case 'list':
      return checkList(type, value, context)
    case 'scalar': {
      const problem = scalarProblem(type, value)
      return problem === undefined ? undefined : badValue(context.path, problem)
    }
    case undefined:
      return badValue(context.path, 'the schema has no type for this value')
  }
}

function checkMap({ map }: Type, value: unknown, context: Check): void {
  if (value === null || value === undefined) return
  if (!isObject(value)) badValue(context.path, `expected map, got ${Array.isArray(value) ? 'list' : typeof value}`)
  for (const name of Object.keys(value)) {
    context.path.push(fieldElement(name))
    const type = map?.typeOf(name)
    if (!type) badValue(context.path, 'field not declared in schema')
    check(type, value[name], context)
    context.path.pop()
  }
}

function checkList({ list }: Type, value: unknown, context: Check): void {
  if (value === null || value === undefined || !list) return
  if (!Array.isArray(value))
    return badValue(context.path, `expected list, got ${isObject(value) ? 'map' : typeof value}`)
  const seen = new Set<string>()
  for (const [index, item] of (value as readonly unknown[]).entries()) {
    const element = list.relation === 'associative' ? elementOf(list, item, context.path) : `i:${index}`
    context.path.push(element)
    if (seen.has(element) && !context.allowsRepeats) badValue(context.path, 'duplicate entries for key')
    if (list.relation === 'associative') seen.add(element)
    check(list.element, item, context)
    context.path.pop()
  }
}
