import { EvaluationError } from '../../../lang/cel/error.ts'
import { type Library, overload, type Overload } from '../../../lang/cel/library/library.ts'
import { type CelType, opaque } from '../../../lang/cel/type.ts'
import { CelObject } from '../../../lang/cel/value/boxed.ts'
import { type ListValue, listItems } from '../../../lang/cel/value/list.ts'
import { renderJson } from '../../../lang/cel/wire/render.ts'
import { isObject } from '../../../lib/json.ts'

export const generatorType: CelType = opaque('generator.Context')

/** What `generator.apply` was asked to make, in the order of the calls. */
export interface Generation {
  readonly namespace: string
  readonly resource: Readonly<Record<string, unknown>>
}

/** The variable `generator` of one evaluation: it only takes notes. */
export class Generator extends CelObject {
  readonly type: CelType = generatorType
  readonly made: Generation[] = []

  equals(other: unknown): boolean {
    return this === other
  }

  note(namespace: string, resources: ListValue): true {
    for (const item of listItems(resources)) {
      const resource = renderJson(item)
      if (resource === null) continue
      if (!isObject(resource)) throw new EvaluationError('failed to generate resources: a resource is an object')
      this.made.push({ namespace, resource })
    }
    return true
  }
}

const G = generatorType.name
const RESOURCES = 'list<map<string, any>>'

const cluster = (name: string): Overload =>
  overload(
    `generator_${name}_string_list`,
    `${G} -> ${name}(string, ${RESOURCES}): bool`,
    (self: Generator, namespace: string, resources: ListValue) => self.note(namespace, resources),
  )

const namespaced = (name: string, namespace: string): Overload =>
  overload(`generator_${name}_list`, `${G} -> ${name}(${RESOURCES}): bool`, (self: Generator, resources: ListValue) =>
    self.note(namespace, resources),
  )

/** `generator.apply(namespace, resources)`; a policy in a namespace says no namespace and reaches no other. */
export const generatorLibrary = (namespace: string): Library => ({
  name: 'kyverno.generator',
  types: [generatorType],
  overloads: ['Apply', 'apply'].map((name) => (namespace === '' ? cluster(name) : namespaced(name, namespace))),
})
