import type { Schema } from './schema.ts'

const apimachinery = 'io.k8s.apimachinery.pkg'
const apiextensions = 'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1'

const named = (definition: string, node: Schema): readonly [string, Schema] => [definition, { ...node, definition }]
const anything: Schema = { preserveUnknownFields: true }

/**
 * Types whose JSON form is not what OpenAPI version 2 can say: it calls a quantity a string although a number is accepted,
 * an int-or-string a string, and the parts of a schema that may be several things an empty object.
 */
export const wellKnown: ReadonlyMap<string, Schema> = new Map([
  named(`${apimachinery}.api.resource.Quantity`, { type: 'string', format: 'quantity' }),
  named(`${apimachinery}.util.intstr.IntOrString`, { intOrString: true, format: 'int-or-string' }),
  named(`${apimachinery}.apis.meta.v1.Time`, { type: 'string', format: 'date-time' }),
  named(`${apimachinery}.apis.meta.v1.MicroTime`, { type: 'string', format: 'date-time' }),
  named(`${apimachinery}.apis.meta.v1.FieldsV1`, { type: 'object', preserveUnknownFields: true, mapType: 'atomic' }),
  named(`${apimachinery}.apis.meta.v1.Patch`, { type: 'object', preserveUnknownFields: true }),
  named(`${apimachinery}.runtime.RawExtension`, { type: 'object', preserveUnknownFields: true }),
  named(`${apiextensions}.JSON`, anything),
  named(`${apiextensions}.JSONSchemaPropsOrArray`, anything),
  named(`${apiextensions}.JSONSchemaPropsOrBool`, anything),
  named(`${apiextensions}.JSONSchemaPropsOrStringArray`, anything),
])

/** The type of a schema in a CustomResourceDefinition. */
export const JSON_SCHEMA_PROPS: string = `${apiextensions}.JSONSchemaProps`

/** What may stand in these places instead of a schema. */
export const schemaUnions: ReadonlyMap<string, Schema> = new Map<string, Schema>([
  [`${apiextensions}.JSONSchemaPropsOrBool`, { type: 'boolean' }],
  [`${apiextensions}.JSONSchemaPropsOrArray`, { type: 'array', items: anything }],
  [`${apiextensions}.JSONSchemaPropsOrStringArray`, { type: 'array', items: { type: 'string' } }],
])
