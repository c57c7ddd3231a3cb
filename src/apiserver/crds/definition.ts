import type { PrinterColumn } from '../../kube/builtin/columns/index.ts'
import type { KubeObject } from '../../kube/object.ts'
import { isObject } from '../../lib/json.ts'

/** The names that a definition gives its kind. */
export interface DefinitionNames {
  readonly plural: string
  readonly singular: string
  readonly kind: string
  readonly listKind: string
  readonly shortNames: readonly string[]
  readonly categories: readonly string[]
}

/** One version of a defined kind. */
export interface DefinitionVersion {
  readonly name: string
  readonly served: boolean
  readonly storage: boolean
  readonly deprecated: boolean
  readonly deprecationWarning: string | undefined
  /** The `openAPIV3Schema` as written. */
  readonly schema: unknown
  readonly hasStatus: boolean
  readonly scale:
    | { readonly specReplicasPath: string; readonly statusReplicasPath: string; readonly labelSelectorPath?: string }
    | undefined
  readonly columns: readonly PrinterColumn[]
  /** JSON paths of fields that selectors may name. */
  readonly selectableFields: readonly string[]
}

type Fields = Readonly<Record<string, unknown>>

/** What we read of a CustomResourceDefinition. */
export interface Definition {
  readonly name: string
  readonly group: string
  readonly scope: string
  readonly names: DefinitionNames
  readonly versions: readonly DefinitionVersion[]
  readonly conversion: string
  /** The `webhook` of a conversion that has one, as written. */
  readonly conversionWebhook: Fields | undefined
  /** Another text for each content. */
  readonly state: string
  readonly isTerminating: boolean
  readonly isEstablished: boolean
}

const fields = (value: unknown): Fields => (isObject(value) ? value : {})
const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [])
const text = (value: unknown): string => (typeof value === 'string' ? value : '')
const texts = (value: unknown): readonly string[] => list(value).filter((one): one is string => typeof one === 'string')

/** Reads a definition; its shape has been checked against the schema of its kind before. */
export function readDefinition(object: KubeObject): Definition {
  const spec = fields(object['spec'])
  const conversion = fields(spec['conversion'])
  return {
    name: object.metadata.name ?? '',
    group: text(spec['group']),
    scope: text(spec['scope']),
    names: readNames(spec['names']),
    versions: list(spec['versions']).map(readVersion),
    conversion: text(conversion['strategy']) || 'None',
    conversionWebhook: conversion['strategy'] === 'Webhook' ? fields(conversion['webhook']) : undefined,
    state: `${object.metadata.uid ?? ''}/${object.metadata.generation ?? 0}`,
    isTerminating: object.metadata.deletionTimestamp !== undefined,
    isEstablished: conditionOf(object, 'Established')?.['status'] === 'True',
  }
}

/** Reads `spec.names` or `status.acceptedNames`, with the names that follow from others. */
export function readNames(value: unknown): DefinitionNames {
  const names = fields(value)
  const kind = text(names['kind'])
  return {
    plural: text(names['plural']),
    singular: text(names['singular']) || kind.toLowerCase(),
    kind,
    listKind: text(names['listKind']) || (kind === '' ? '' : `${kind}List`),
    shortNames: texts(names['shortNames']),
    categories: texts(names['categories']),
  }
}

function readVersion(value: unknown): DefinitionVersion {
  const version = fields(value)
  const subresources = fields(version['subresources'])
  const scale = subresources['scale']
  return {
    name: text(version['name']),
    served: version['served'] === true,
    storage: version['storage'] === true,
    deprecated: version['deprecated'] === true,
    deprecationWarning: typeof version['deprecationWarning'] === 'string' ? version['deprecationWarning'] : undefined,
    schema: fields(version['schema'])['openAPIV3Schema'],
    hasStatus: isObject(subresources['status']),
    scale: isObject(scale) ? readScale(scale) : undefined,
    // The shape of a column is that of the kind's schema.
    columns: list(version['additionalPrinterColumns']).filter(isObject) as unknown as readonly PrinterColumn[],
    selectableFields: list(version['selectableFields']).map((one) => text(fields(one)['jsonPath'])),
  }
}

function readScale(scale: Fields): NonNullable<DefinitionVersion['scale']> {
  const labelSelectorPath = text(scale['labelSelectorPath'])
  return {
    specReplicasPath: text(scale['specReplicasPath']),
    statusReplicasPath: text(scale['statusReplicasPath']),
    ...(labelSelectorPath === '' ? {} : { labelSelectorPath }),
  }
}

/** A condition of an object's status by its type. */
export function conditionOf(object: KubeObject, type: string): Fields | undefined {
  return list(fields(object['status'])['conditions'])
    .filter(isObject)
    .find((condition) => condition['type'] === type)
}
