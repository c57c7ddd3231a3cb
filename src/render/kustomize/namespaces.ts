import { isObject, own } from '../../lib/json.ts'
import { demandScalar, editField, type FieldEdit, type FieldSpec } from './field-spec.ts'
import { refuse, within } from './refusal.ts'
import type { Manifest, Resource } from './resource.ts'
import { CLUSTER, idKey, idText } from './resource-id.ts'
import type { Resources } from './resources.ts'

/** Which subjects of role bindings get the namespace too. */
type SubjectMode = 'defaultOnly' | 'allServiceAccounts' | 'none'

/** A namespace for everything that lives in one. */
export interface NamespaceSetting {
  readonly namespace: string
  readonly specs: readonly FieldSpec[]
  readonly unsetOnly: boolean
  readonly subjects: string
}

const modes: readonly string[] = ['defaultOnly', 'allServiceAccounts', 'none'] satisfies SubjectMode[]

/** Refuses a mode that does not exist; none given is `defaultOnly`. */
export function checkSubjectMode(mode: string | undefined): string {
  if (mode === undefined || mode === '') return 'defaultOnly'
  if (!modes.includes(mode)) {
    refuse(
      `invalid value "${mode}" for setRoleBindingSubjects: must be one of "defaultOnly", "none" or "allServiceAccounts"`,
    )
  }
  return mode
}

/** Puts everything that lives in a namespace into one. */
export function setNamespaces(resources: Resources, setting: NamespaceSetting): void {
  if (setting.namespace === '') return
  const counts = new Map<string, number>()
  const count = ({ id }: Resource, change: 1 | -1): number => {
    const key = idKey(id)
    const next = (counts.get(key) ?? 0) + change
    counts.set(key, next)
    return next
  }
  for (const resource of resources.list) count(resource, 1)
  for (const resource of resources.list) {
    if (resource.isGone) continue
    resource.rememberId()
    count(resource, -1)
    resource.manifest = withNamespace(resource, setting)
    // Those that are still to come count with the namespace that they have so far, as upstream does.
    if (count(resource, 1) !== 1) refuse(`namespace transformation produces ID conflict: ${idText(resource.id)}`)
  }
}

const isBindingKind = (kind: string): boolean => kind === 'RoleBinding' || kind === 'ClusterRoleBinding'

const metadataNamespace: FieldSpec = { group: '', version: '', kind: '', path: 'metadata/namespace', create: true }

/** One manifest in the namespace. */
export function withNamespace(resource: Resource, setting: NamespaceSetting): Manifest {
  const edit = setter(setting)
  const isCluster = resource.id.effective === CLUSTER
  let manifest = isCluster ? resource.manifest : editField(resource.manifest, metadataNamespace, edit)
  const isBinding = isBindingKind(resource.kind)
  if (isBinding) manifest = withSubjects(manifest, setting, edit)
  for (const spec of setting.specs) {
    if (spec.path === 'metadata/namespace') continue
    if (spec.path === 'metadata/name' && resource.apiVersion !== 'v1') continue
    if (isBinding && isBindingKind(spec.kind) && spec.path === 'subjects/namespace') continue
    manifest = within('namespace field specs must target scalar nodes', () => editField(manifest, spec, edit))
  }
  return manifest
}

const setter = ({ namespace, unsetOnly }: NamespaceSetting): FieldEdit => ({
  creates: 'scalar',
  set(value) {
    demandScalar(value)
    return unsetOnly && value !== null && value !== undefined && value !== '' ? value : namespace
  },
})

function withSubjects(manifest: Manifest, setting: NamespaceSetting, edit: FieldEdit): Manifest {
  const subjects = own(manifest, 'subjects')
  if (setting.subjects === 'none' || !Array.isArray(subjects)) return manifest
  const [field, wanted] = setting.subjects === 'allServiceAccounts' ? ['kind', 'ServiceAccount'] : ['name', 'default']
  const changed = subjects.map((subject: unknown) =>
    isObject(subject) && own(subject, field) === wanted
      ? { ...subject, namespace: edit.set(own(subject, 'namespace') ?? null) }
      : subject,
  )
  return { ...manifest, subjects: changed }
}
