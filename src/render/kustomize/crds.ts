import { isObject, own } from '../../lib/json.ts'
import { parseYaml } from '../../lib/yaml.ts'
import type { NameReference } from './default-specs.ts'
import type { FieldSpec } from './field-spec.ts'
import { demand } from './refusal.ts'
import { emptyConfig, mergeConfig, type TransformerConfig } from './transformer-config.ts'

type Fields = Readonly<Record<string, unknown>>

const DEEPEST = 50

/** Which fields the OpenAPI definitions of custom resources mark as names, labels, annotations and references. */
export function configOfCrds(text: string): TransformerConfig {
  const types = demand(parseYaml(text))
  if (!isObject(types)) return emptyConfig
  let config = emptyConfig
  for (const [name, type] of Object.entries(types)) {
    const properties = propertiesOf(type)
    const isKind = ['kind', 'apiVersion', 'metadata'].every((field) => Object.hasOwn(properties, field))
    if (!isKind) continue
    const found = new Marks(types, name.slice(name.lastIndexOf('.') + 1))
    found.collect(name, [])
    config = mergeConfig(config, found.config())
  }
  return config
}

function propertiesOf(type: unknown): Fields {
  const schema = isObject(type) ? (own(type, 'Schema') ?? own(type, 'schema')) : undefined
  const properties = isObject(schema) ? own(schema, 'properties') : undefined
  return isObject(properties) ? properties : {}
}

class Marks {
  readonly #types: Fields
  readonly #kind: string
  readonly #annotations: FieldSpec[] = []
  readonly #labels: FieldSpec[] = []
  readonly #names: FieldSpec[] = []
  readonly #references: NameReference[] = []

  constructor(types: Fields, kind: string) {
    this.#types = types
    this.#kind = kind
  }

  config(): TransformerConfig {
    return {
      ...emptyConfig,
      commonAnnotations: this.#annotations,
      commonLabels: this.#labels,
      namePrefix: this.#names,
      nameReference: this.#references,
    }
  }

  collect(typeName: string, path: readonly string[]): void {
    if (path.length > DEEPEST || this.#names.length + this.#labels.length + this.#references.length > 5_000) return
    for (const [name, property] of Object.entries(propertiesOf(own(this.#types, typeName)))) {
      if (!isObject(property)) continue
      const at = [...path, name]
      if (typeof property['x-kubernetes-annotation'] === 'string') this.#annotations.push(this.#spec(at))
      if (typeof property['x-kubernetes-label-selector'] === 'string') this.#labels.push(this.#spec(at))
      if (typeof property['x-kubernetes-identity'] === 'string') this.#names.push(this.#spec(at))
      this.#refer(property, at)
      const ref = property['$ref']
      if (typeof ref === 'string') this.collect(ref, at)
    }
  }

  #refer(property: Fields, at: readonly string[]): void {
    const version = property['x-kubernetes-object-ref-api-version']
    const kind = property['x-kubernetes-object-ref-kind']
    if (typeof version !== 'string' || typeof kind !== 'string') return
    const key = property['x-kubernetes-object-ref-name-key']
    const field = this.#spec([...at, typeof key === 'string' ? key : 'name'])
    this.#references.push({ group: '', version, kind, fields: [field] })
  }

  #spec(path: readonly string[]): FieldSpec {
    return { group: '', version: '', kind: this.#kind, path: path.join('/'), create: false }
  }
}
