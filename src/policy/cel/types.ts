import type { MessageProvider } from '../../lang/cel/environment.ts'
import { mutationTypes } from '../../lang/cel/kubernetes/mutation.ts'
import { parseType } from '../../lang/cel/library/signature.ts'
import { type CelType, structType } from '../../lang/cel/type.ts'
import { SERVICE_ACCOUNT_TYPE } from './libraries/data.ts'

const message = (name: string): string => `message<${name}>`

/** Types with fixed fields, in the notation of signatures (apiserver, pkg/admission/plugin/cel/compile.go). */
const declared: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'kubernetes.GroupVersionKind': { group: 'string', version: 'string', kind: 'string' },
  'kubernetes.GroupVersionResource': { group: 'string', version: 'string', resource: 'string' },
  'kubernetes.UserInfo': {
    username: 'string',
    uid: 'string',
    groups: 'list<string>',
    extra: 'map<string, list<string>>',
  },
  'kubernetes.AdmissionRequest': {
    uid: 'string',
    kind: message('kubernetes.GroupVersionKind'),
    resource: message('kubernetes.GroupVersionResource'),
    subResource: 'string',
    requestKind: message('kubernetes.GroupVersionKind'),
    requestResource: message('kubernetes.GroupVersionResource'),
    requestSubResource: 'string',
    name: 'string',
    namespace: 'string',
    operation: 'string',
    userInfo: message('kubernetes.UserInfo'),
    dryRun: 'bool',
    options: 'dyn',
    object: 'dyn',
    oldObject: 'dyn',
  },
  'kubernetes.NamespaceMetadata': {
    name: 'string',
    generateName: 'string',
    namespace: 'string',
    labels: 'map<string, string>',
    annotations: 'map<string, string>',
    UID: 'string',
    creationTimestamp: 'timestamp',
    deletionGracePeriodSeconds: 'int',
    deletionTimestamp: 'timestamp',
    generation: 'int',
    resourceVersion: 'string',
    finalizers: 'list<string>',
  },
  'kubernetes.NamespaceSpec': { finalizers: 'list<string>' },
  'kubernetes.NamespaceStatus': { phase: 'string' },
  'kubernetes.Namespace': {
    metadata: message('kubernetes.NamespaceMetadata'),
    spec: message('kubernetes.NamespaceSpec'),
    status: message('kubernetes.NamespaceStatus'),
  },
  'libs.Exception': { allowedImages: 'list<string>', allowedValues: 'list<string>' },
  [SERVICE_ACCOUNT_TYPE]: { Name: 'string', Namespace: 'string' },
}

const fixed: ReadonlyMap<string, ReadonlyMap<string, CelType>> = new Map(
  Object.entries(declared).map(([name, fields]) => [
    name,
    new Map(Object.entries(fields).map(([field, type]) => [field, parseType(type)])),
  ]),
)

export const requestType: CelType = structType('kubernetes.AdmissionRequest')
export const namespaceType: CelType = structType('kubernetes.Namespace')
export const exceptionsType: CelType = structType('libs.Exception')
export const variablesType: CelType = structType('kyverno.variables')

/** The types of one policy: what never changes, and its own variables as far as they were read. */
export class PolicyTypes implements MessageProvider {
  readonly #variables = new Map<string, CelType>()
  readonly #mutates: boolean

  constructor(mutates: boolean) {
    this.#mutates = mutates
  }

  /** From here on expressions may speak of a variable. */
  declareVariable(name: string, type: CelType): void {
    this.#variables.set(name, type)
  }

  findType(name: string): CelType | undefined {
    if (name === variablesType.name) return variablesType
    if (fixed.has(name)) return structType(name)
    return this.#mutates ? mutationTypes.findType(name) : undefined
  }

  fieldType(name: string, field: string): CelType | undefined {
    if (name === variablesType.name) return this.#variables.get(field)
    const known = fixed.get(name)
    if (known) return known.get(field)
    return this.#mutates ? mutationTypes.fieldType(name, field) : undefined
  }

  create(name: string, fields: ReadonlyMap<string, unknown>): unknown {
    return mutationTypes.create?.(name, fields)
  }
}
