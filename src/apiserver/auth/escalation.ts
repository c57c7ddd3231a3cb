import type { UserInfo } from '../../kube/admission.ts'
import { allows, coversPath, grantsOf, type PolicyRule, type RbacIndex } from './rbac.ts'
import { MASTERS } from './attributes.ts'

/** One verb on one thing: what rules are made of. */
type Atom =
  | { readonly verb: string; readonly group: string; readonly resource: string; readonly name: string | undefined }
  | { readonly verb: string; readonly path: string }

function* atomsOf(rule: PolicyRule): Generator<Atom> {
  for (const verb of rule.verbs) {
    for (const path of rule.nonResourceURLs ?? []) yield { verb, path }
    for (const group of rule.apiGroups ?? []) {
      for (const resource of rule.resources ?? []) {
        const names = rule.resourceNames ?? []
        if (names.length === 0) yield { verb, group, resource, name: undefined }
        for (const name of names) yield { verb, group, resource, name }
      }
    }
  }
}

const has = (list: readonly string[] | undefined, wanted: string): boolean =>
  list?.includes('*') === true || list?.includes(wanted) === true

/** Tells whether a held rule gives all that an atom asks; a star is only covered by a star. */
function covers(held: PolicyRule, atom: Atom): boolean {
  if (!has(held.verbs, atom.verb)) return false
  if ('path' in atom) return held.nonResourceURLs?.some((pattern) => coversPath(pattern, atom.path)) ?? false
  if (!has(held.apiGroups, atom.group)) return false
  const [plural = '', subresource] = atom.resource.split('/')
  const isSpecific = plural !== '*'
  const covered = isSpecific
    ? allows({ ...held, verbs: ['*'], apiGroups: ['*'], resourceNames: [] }, attributesOf(plural, subresource))
    : has(held.resources, atom.resource)
  if (!covered) return false
  const names = held.resourceNames ?? []
  return names.length === 0 || (atom.name !== undefined && names.includes(atom.name))
}

const nobody: UserInfo = { username: '', groups: [] }
const attributesOf = (plural: string, subresource: string | undefined): Parameters<typeof allows>[1] => ({
  user: nobody,
  verb: '',
  group: '',
  version: '',
  plural,
  ...(subresource === undefined ? {} : { subresource }),
})

/** The wanted rules, one atom each, that the held ones do not cover. */
export function uncovered(held: readonly PolicyRule[], wanted: readonly PolicyRule[]): readonly PolicyRule[] {
  const missing: PolicyRule[] = []
  for (const rule of wanted) {
    for (const atom of atomsOf(rule)) {
      if (!held.some((candidate) => covers(candidate, atom))) missing.push(ruleOf(atom))
    }
  }
  return missing
}

function ruleOf(atom: Atom): PolicyRule {
  if ('path' in atom) return { verbs: [atom.verb], nonResourceURLs: [atom.path] }
  const names = atom.name === undefined ? {} : { resourceNames: [atom.name] }
  return { verbs: [atom.verb], apiGroups: [atom.group], resources: [atom.resource], ...names }
}

/** What somebody would hand out without holding it; empty when there is no escalation. */
export function escalation(
  index: RbacIndex,
  user: UserInfo,
  namespace: string | undefined,
  wanted: readonly PolicyRule[],
): readonly PolicyRule[] {
  if (user.groups.includes(MASTERS)) return []
  const held = [...grantsOf(index, user, namespace)].flatMap((grant) => grant.rules)
  return uncovered(held, wanted)
}

/** The refusal of an escalation, naming what is not held. */
export function describeEscalation(user: UserInfo, missing: readonly PolicyRule[]): string {
  const who = `user ${JSON.stringify(user.username)} (groups=${JSON.stringify(user.groups)})`
  return `${who} is attempting to grant RBAC permissions not currently held: ${missing.map((rule) => JSON.stringify(rule)).join('; ')}`
}
