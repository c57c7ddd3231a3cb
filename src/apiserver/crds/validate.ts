import { checkDns1035Label, checkDnsSubdomain } from '../../kube/names.ts'
import type { KubeObject } from '../../kube/object.ts'
import { type FieldError, forbidden, invalid, notSupported, required } from '../../kube/schema/field-error.ts'
import { parseStructural } from '../../kube/schema/structural.ts'
import { isEqual, isObject } from '../../lib/json.ts'
import { compileJsonPath } from '../../lib/jsonpath.ts'
import { type Definition, type DefinitionVersion, readDefinition } from './definition.ts'
import { checkRuleTexts } from './rules.ts'

const APPROVAL = 'api-approved.kubernetes.io'
const MOST_SELECTABLE = 8

/** What is wrong with a definition, beyond the schema of its kind. */
export function checkDefinition(object: KubeObject, old: KubeObject | undefined): readonly FieldError[] {
  const definition = readDefinition(object)
  const before = old && readDefinition(old)
  const oldVersions = new Map(before?.versions.map((version) => [version.name, version]))
  return [
    ...checkIdentity(definition),
    ...checkApproval(object, definition, old),
    ...(before ? checkFixed(definition, before) : []),
    ...checkVersionList(definition),
    ...definition.versions.flatMap((version, index) => {
      const at = `spec.versions[${index}]`
      return checkVersion(version, at, oldVersions.get(version.name))
    }),
    ...checkConversion(object),
    ...checkStored(object, definition),
  ]
}

function checkIdentity({ name, group, names, scope }: Definition): readonly FieldError[] {
  const problems: FieldError[] = []
  if (name !== `${names.plural}.${group}`) {
    problems.push(invalid('metadata.name', name, 'must be spec.names.plural+"."+spec.group'))
  }
  if (group === '') problems.push(required('spec.group'))
  else {
    for (const because of checkDnsSubdomain(group)) problems.push(invalid('spec.group', group, because))
    if (!group.includes('.')) problems.push(invalid('spec.group', group, 'should be a domain with at least one dot'))
  }
  if (scope === '') problems.push(required('spec.scope'))
  else if (scope !== 'Cluster' && scope !== 'Namespaced')
    problems.push(notSupported('spec.scope', scope, ['Cluster', 'Namespaced']))
  const labels = [
    ['plural', names.plural],
    ['singular', names.singular],
    ['kind', names.kind.toLowerCase()],
    ['listKind', names.listKind.toLowerCase()],
    ...names.shortNames.map((short, index) => [`shortNames[${index}]`, short] as const),
    ...names.categories.map((category, index) => [`categories[${index}]`, category] as const),
  ] as const
  for (const [field, value] of labels) {
    const at = `spec.names.${field}`
    if (value === '') {
      if (field === 'plural' || field === 'kind') problems.push(required(at))
      continue
    }
    for (const because of checkDns1035Label(value)) problems.push(invalid(at, value, because))
  }
  if (names.kind !== '' && names.kind === names.listKind) {
    problems.push(invalid('spec.names.listKind', names.listKind, 'kind and listKind may not be the same'))
  }
  return problems
}

/** Groups of the Kubernetes project are only for what the project has approved. */
function checkApproval(object: KubeObject, { group }: Definition, old: KubeObject | undefined): readonly FieldError[] {
  const isProtected = /(?:^|\.)(?:k8s|kubernetes)\.io$/.test(group)
  if (!isProtected || old) return []
  const approval = object.metadata.annotations?.[APPROVAL]
  const at = `metadata.annotations[${APPROVAL}]`
  if (approval === undefined)
    return [required(at, 'protected groups must have approval annotation "api-approved.kubernetes.io"')]
  const isGood = approval.startsWith('unapproved') || /^https?:\/\/\S+$/.test(approval)
  return isGood
    ? []
    : [
        invalid(
          at,
          approval,
          'protected groups must have approval annotation "api-approved.kubernetes.io" with either a URL or a reason starting with "unapproved"',
        ),
      ]
}

/** What must not change once objects may exist. */
function checkFixed(next: Definition, before: Definition): readonly FieldError[] {
  const problems: FieldError[] = []
  const fixed = (at: string, a: unknown, b: unknown): void => {
    if (!isEqual(a, b)) problems.push(invalid(at, a, 'field is immutable'))
  }
  fixed('spec.group', next.group, before.group)
  fixed('spec.names.plural', next.names.plural, before.names.plural)
  if (before.isEstablished) {
    fixed('spec.scope', next.scope, before.scope)
    fixed('spec.names.kind', next.names.kind, before.names.kind)
  }
  return problems
}

function checkVersionList({ versions }: Definition): readonly FieldError[] {
  const problems: FieldError[] = []
  const names = versions.map(({ name }) => name)
  if (new Set(names).size < names.length)
    problems.push(invalid('spec.versions', names, 'must contain unique version names'))
  const stored = versions.filter(({ storage }) => storage).length
  if (stored !== 1)
    problems.push(invalid('spec.versions', names, 'must have exactly one version marked as storage version'))
  return problems
}

function checkVersion(
  version: DefinitionVersion,
  at: string,
  before: DefinitionVersion | undefined,
): readonly FieldError[] {
  const problems: FieldError[] = []
  for (const because of checkDns1035Label(version.name)) problems.push(invalid(`${at}.name`, version.name, because))
  problems.push(...checkSchema(version, at, before))
  if (version.deprecationWarning !== undefined) {
    if (!version.deprecated)
      problems.push(
        invalid(`${at}.deprecationWarning`, version.deprecationWarning, 'can only be set for deprecated versions'),
      )
    if (version.deprecationWarning === '')
      problems.push(invalid(`${at}.deprecationWarning`, '', 'must not be an empty string'))
    if (version.deprecationWarning.length > 256)
      problems.push(invalid(`${at}.deprecationWarning`, version.deprecationWarning, 'must be <= 256 characters long'))
  }
  version.columns.forEach((column, index) => {
    const place = `${at}.additionalPrinterColumns[${index}]`
    if (!['integer', 'number', 'string', 'boolean', 'date'].includes(column.type)) {
      problems.push(notSupported(`${place}.type`, column.type, ['boolean', 'date', 'integer', 'number', 'string']))
    }
    if (!compileJsonPath(column.jsonPath).ok)
      problems.push(invalid(`${place}.jsonPath`, column.jsonPath, 'is no JSON path'))
  })
  problems.push(...checkScale(version, at), ...checkSelectable(version, at))
  return problems
}

function checkSchema(
  { schema, hasStatus }: DefinitionVersion,
  at: string,
  before: DefinitionVersion | undefined,
): readonly FieldError[] {
  const place = `${at}.schema.openAPIV3Schema`
  if (schema === undefined) return [required(place)]
  // What was accepted once stays acceptable.
  if (before && isEqual(schema, before.schema)) return []
  const structural = parseStructural(schema, place)
  const problems = [...structural.problems]
  if (problems.length === 0) problems.push(...checkRuleTexts(structural.schema, place))
  if (hasStatus && isObject(schema) && schema['type'] !== undefined && schema['type'] !== 'object') {
    problems.push(
      invalid(
        `${place}.type`,
        schema['type'],
        'only "object" is allowed as the type at the root of the schema if the status subresource is enabled',
      ),
    )
  }
  return problems
}

function checkScale({ scale }: DefinitionVersion, at: string): readonly FieldError[] {
  if (!scale) return []
  const problems: FieldError[] = []
  const under = (field: string, path: string, prefixes: readonly string[]): void => {
    const place = `${at}.subresources.scale.${field}`
    if (path === '') problems.push(required(place))
    else if (!prefixes.some((prefix) => path.startsWith(prefix))) {
      problems.push(invalid(place, path, `should be a json path under ${prefixes.join(' or ')}`))
    }
  }
  under('specReplicasPath', scale.specReplicasPath, ['.spec.'])
  under('statusReplicasPath', scale.statusReplicasPath, ['.status.'])
  if (scale.labelSelectorPath !== undefined) under('labelSelectorPath', scale.labelSelectorPath, ['.spec.', '.status.'])
  return problems
}

function checkSelectable({ selectableFields }: DefinitionVersion, at: string): readonly FieldError[] {
  const problems: FieldError[] = []
  if (selectableFields.length > MOST_SELECTABLE) {
    problems.push(forbidden(`${at}.selectableFields`, `must have at most ${MOST_SELECTABLE} items`))
  }
  selectableFields.forEach((path, index) => {
    const place = `${at}.selectableFields[${index}].jsonPath`
    if (!/^(?:\.[A-Za-z_][\w-]*)+$/.test(path))
      problems.push(invalid(place, path, 'is an invalid path: use simple names separated by dots'))
    else if (/^\.metadata\b/.test(path)) problems.push(invalid(place, path, 'must not point to fields in metadata'))
    else if (selectableFields.indexOf(path) < index)
      problems.push({
        ...invalid(place, path, ''),
        code: 'field-duplicate',
        reason: 'FieldValueDuplicate',
        message: `Duplicate value: ${JSON.stringify(path)}`,
      })
  })
  return problems
}

function checkConversion(object: KubeObject): readonly FieldError[] {
  const spec = isObject(object['spec']) ? object['spec'] : {}
  const conversion = isObject(spec['conversion']) ? spec['conversion'] : { strategy: 'None' }
  const { strategy, webhook } = conversion as { readonly strategy?: unknown; readonly webhook?: unknown }
  const at = 'spec.conversion'
  if (strategy !== 'None' && strategy !== 'Webhook')
    return [notSupported(`${at}.strategy`, strategy, ['None', 'Webhook'])]
  if (strategy === 'None')
    return webhook === undefined
      ? []
      : [forbidden(`${at}.webhook`, 'should not be set when strategy is not set to Webhook')]
  if (!isObject(webhook)) return [required(`${at}.webhook.clientConfig`, 'required when strategy is set to Webhook')]
  const versions = webhook['conversionReviewVersions']
  const isKnown = Array.isArray(versions) && (versions.includes('v1') || versions.includes('v1beta1'))
  return isKnown
    ? []
    : [invalid(`${at}.webhook.conversionReviewVersions`, versions ?? null, 'must include at least one of v1, v1beta1')]
}

function checkStored(object: KubeObject, { versions }: Definition): readonly FieldError[] {
  const status = isObject(object['status']) ? object['status'] : {}
  const stored: readonly unknown[] = Array.isArray(status['storedVersions']) ? status['storedVersions'] : []
  const known = new Set<unknown>(versions.map(({ name }) => name))
  return stored.flatMap((name, index) =>
    known.has(name)
      ? []
      : [
          invalid(
            `status.storedVersions[${index}]`,
            name,
            `missing from spec.versions; ${String(name)} was previously a storage version, and must remain in spec.versions until a storage migration ensures no data remains persisted in ${String(name)} and removes ${String(name)} from status.storedVersions`,
          ),
        ],
  )
}
