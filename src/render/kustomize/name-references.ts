import { isObject, own } from '../../lib/json.ts'
import type { NameReference } from './default-specs.ts'
import { editPath, type FieldSpec } from './field-spec.ts'
import { prefixed, refuse, Refusal } from './refusal.ts'
import type { Manifest, Resource } from './resource.ts'
import { CLUSTER, type Gvk, groupVersion, idText, isSelected, type ResourceId } from './resource-id.ts'
import type { Resources } from './resources.ts'
import { scalarText } from './scalar-text.ts'

interface Rule {
  readonly target: Gvk
  readonly field: FieldSpec
}

/** The rules by the kind of the referrer; those for any kind are under the empty name. */
function rulesByKind(references: readonly NameReference[]): ReadonlyMap<string, readonly Rule[]> {
  const rules = new Map<string, Rule[]>()
  for (const { fields, ...target } of references) {
    for (const field of fields) {
      const known = rules.get(field.kind)
      if (known) known.push({ target, field })
      else rules.set(field.kind, [{ target, field }])
    }
  }
  return rules
}

const compiled = new WeakMap<readonly NameReference[], ReadonlyMap<string, readonly Rule[]>>()

/** Follows names that changed: every field that holds the old name of another resource gets its new one. */
export function fixNameReferences(resources: Resources, references: readonly NameReference[]): void {
  let rules = compiled.get(references)
  if (!rules) compiled.set(references, (rules = rulesByKind(references)))
  const byPreviousName = new Map<string, Resource[]>()
  for (const resource of resources.list) {
    for (const name of new Set(resource.previous.map((previous) => previous.name))) {
      const known = byPreviousName.get(name)
      if (known) known.push(resource)
      else byPreviousName.set(name, [resource])
    }
  }
  if (byPreviousName.size === 0) return
  for (const referrer of resources.list) {
    const id = referrer.originalId
    const fitting = [...(rules.get(id.kind) ?? []), ...(rules.get('') ?? [])].filter(({ field }) =>
      isSelected(id, field),
    )
    if (fitting.length === 0) continue
    const search = new Search(referrer, byPreviousName, resources.list)
    for (const rule of fitting) search.follow(rule)
  }
}

/** What one referrer may refer to. */
class Search {
  readonly #referrer: Resource
  readonly #byPreviousName: ReadonlyMap<string, readonly Resource[]>
  readonly #bindingNamespaces: ReadonlySet<string>

  readonly #resources: readonly Resource[]

  constructor(
    referrer: Resource,
    byPreviousName: ReadonlyMap<string, readonly Resource[]>,
    resources: readonly Resource[],
  ) {
    this.#referrer = referrer
    this.#resources = resources
    this.#byPreviousName = byPreviousName
    this.#bindingNamespaces = subjectNamespaces(referrer.manifest)
  }

  follow(rule: Rule): void {
    const referrer = this.#referrer
    const set = (value: unknown): unknown => this.#renamed(value, rule)
    try {
      referrer.manifest = editPath(referrer.manifest, rule.field, { set })
    } catch (thrown) {
      throw thrown instanceof Refusal
        ? prefixed(`updating name reference in '${rule.field.path}' field of '${idText(referrer.id)}'`, thrown)
        : thrown
    }
  }

  #renamed(value: unknown, rule: Rule): unknown {
    if (value === null || value === undefined) return value
    if (Array.isArray(value)) {
      let isChanged = false
      const items = value.map((item: unknown) => {
        if (Array.isArray(item)) return refuse('a list is expected to hold either strings or maps')
        const next = item === null ? item : this.#renamed(item, rule)
        isChanged ||= next !== item
        return next
      })
      return isChanged ? items : value
    }
    return isObject(value) ? this.#renamedMap(value, rule) : this.#renamedText(value, rule)
  }

  #renamedText(value: unknown, rule: Rule): unknown {
    const name = scalarText(value)
    const referral = this.#find(name, rule, this.#candidates(name), sameNames)
    if (!referral) return value
    referral.referrers.add(idText(this.#referrer.id))
    return referral.name === name ? value : referral.name
  }

  #renamedMap(value: Manifest, rule: Rule): unknown {
    if (!Object.hasOwn(value, 'name')) return refuse("path config error; no 'name' field in node")
    const name = scalarText(own(value, 'name'))
    const namespace = own(value, 'namespace')
    let candidates = this.#candidates(name)
    if (namespace !== undefined && namespace !== null) {
      const text = scalarText(namespace)
      const wasOriginal = this.#resources.some((one) => one.originalId.effective === text && this.#isInReach(one))
      const idOf = (one: Resource): ResourceId => (wasOriginal ? one.originalId : one.id)
      candidates = text === CLUSTER ? [] : candidates.filter((one) => idOf(one).effective === text)
    }
    const referral = this.#find(name, rule, candidates, sameNamesAndNamespaces)
    if (!referral) return value
    referral.referrers.add(idText(this.#referrer.id))
    if (referral.name === name && referral.namespace === '') return value
    return { ...value, name: referral.name, ...(referral.namespace === '' ? {} : { namespace: referral.namespace }) }
  }

  #candidates(name: string): readonly Resource[] {
    return (this.#byPreviousName.get(name) ?? []).filter((one) => this.#isInReach(one))
  }

  #isInReach(resource: Resource): boolean {
    const { id } = this.#referrer
    return (
      id.effective === CLUSTER ||
      resource.id.effective === CLUSTER ||
      resource.id.effective === id.effective ||
      this.#bindingNamespaces.has(resource.namespace)
    )
  }

  #find(
    name: string,
    { target, field }: Rule,
    inReach: readonly Resource[],
    areSame: (resources: readonly Resource[]) => boolean,
  ): Resource | undefined {
    const { id } = this.#referrer
    const roleGvk = field.path.endsWith('roleRef/name') ? roleOf(this.#referrer.manifest) : undefined
    let candidates = inReach.filter(
      (resource) =>
        resource.previousIds.some((previous) => isSelected(previous, target)) &&
        (!roleGvk || resource.previousIds.some((previous) => isSelected(previous, roleGvk))) &&
        (id.effective === CLUSTER ||
          resource.id.effective === CLUSTER ||
          resource.kind === 'ServiceAccount' ||
          resource.id.effective === id.effective),
    )
    if (candidates.length === 1) return candidates[0]
    candidates = candidates.filter((resource) => hasSameAffixes(resource, this.#referrer, true))
    if (candidates.length > 1) {
      candidates = candidates.filter((resource) => hasSameAffixes(resource, this.#referrer, false))
    }
    if (candidates.length < 2 || areSame(candidates)) return candidates[0]
    const ids = candidates.map((resource) => idText(resource.id)).join(', ')
    return refuse(`found multiple possible referrals: ${ids} (the name is ${JSON.stringify(name)})`)
  }
}

const sameNames = (resources: readonly Resource[]): boolean =>
  resources.every(({ name }) => name === resources[0]?.name)

const sameNamesAndNamespaces = (resources: readonly Resource[]): boolean =>
  sameNames(resources) && resources.every(({ namespace }) => namespace === resources[0]?.namespace)

/** Tells whether the shorter list is how the longer one ends. */
function sameEnding(a: readonly string[], b: readonly string[]): boolean {
  const [short, long] = a.length > b.length ? [b, a] : [a, b]
  const offset = long.length - short.length
  if (short.length === 0) return offset === 0
  return short.every((text, index) => text === long[index + offset])
}

function hasSameAffixes(a: Resource, b: Resource, allowEmpty: boolean): boolean {
  const same = (left: readonly string[], right: readonly string[]): boolean =>
    (allowEmpty && (left.length === 0 || right.length === 0)) || sameEnding(left, right)
  return same(a.prefixes, b.prefixes) && same(a.suffixes, b.suffixes)
}

function roleOf(manifest: Manifest): Partial<Gvk> | undefined {
  const role = own(manifest, 'roleRef')
  if (!isObject(role)) return undefined
  const { apiGroup, kind } = role
  if (typeof apiGroup !== 'string' || typeof kind !== 'string') return undefined
  return { group: groupVersion(`${apiGroup}/`).group, kind }
}

function subjectNamespaces(manifest: Manifest): ReadonlySet<string> {
  const subjects = own(manifest, 'kind') === 'RoleBinding' ? own(manifest, 'subjects') : undefined
  const found = new Set<string>()
  for (const subject of Array.isArray(subjects) ? (subjects as readonly unknown[]) : []) {
    if (!isObject(subject) || own(subject, 'kind') !== 'ServiceAccount' || !Object.hasOwn(subject, 'namespace'))
      continue
    const namespace = own(subject, 'namespace')
    if (typeof namespace !== 'string') refuse('Invalid Input: namespace is blank for resource')
    else found.add(namespace)
  }
  return found
}
