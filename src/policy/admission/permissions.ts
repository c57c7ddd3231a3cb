import type { Client } from '../../kube/client.ts'
import { parseApiVersion } from '../../kube/gvk.ts'
import type { KubeObject } from '../../kube/object.ts'
import { isObject } from '../../lib/json.ts'
import type { Problem } from '../../lib/result.ts'
import type { ServedKinds } from '../../runtime/served-kinds.ts'
import { accountOf } from '../install/kyverno-objects.ts'
import type { PolicyCheck } from './policy-admission.ts'

type Fields = Readonly<Record<string, unknown>>

/** Something that a policy wants the background to do to a kind. */
interface Need {
  readonly apiVersion: string
  readonly kind: string
  readonly namespace?: string
  readonly verbs: readonly string[]
  readonly at: string
}

const fieldsOf = (value: unknown): Fields => (isObject(value) ? value : {})
const listOf = (value: unknown): readonly Fields[] => (Array.isArray(value) ? value.filter(isObject) : [])
const textOf = (value: unknown): string => (typeof value === 'string' ? value : '')
const isVariable = (text: string): boolean => text.includes('{{')

/** What the rules of a classic policy make and change, as far as it is written plainly. */
function needsOf(policy: KubeObject): readonly Need[] {
  return listOf(fieldsOf(policy['spec'])['rules']).flatMap((rule, index) => {
    const at = `spec.rules[${index}]`
    const generate = fieldsOf(rule['generate'])
    const verbs = generate['synchronize'] === true ? ['get', 'create', 'update', 'delete'] : ['get', 'create']
    const patterns = listOf(generate['foreach']).length > 0 ? listOf(generate['foreach']) : [generate]
    const made = patterns.flatMap((pattern) => madeBy(pattern, verbs, `${at}.generate`))
    const changed = listOf(fieldsOf(rule['mutate'])['targets']).map((target) => ({
      apiVersion: textOf(target['apiVersion']),
      kind: textOf(target['kind']).split('/')[0] ?? '',
      namespace: textOf(target['namespace']),
      verbs: ['get', 'update'],
      at: `${at}.mutate.targets`,
    }))
    return [...made, ...changed]
  })
}

function madeBy(pattern: Fields, verbs: readonly string[], at: string): readonly Need[] {
  const namespace = textOf(pattern['namespace'])
  const { kinds } = fieldsOf(pattern['cloneList'])
  if (Array.isArray(kinds)) {
    return kinds.map(String).map((text) => {
      const slash = text.lastIndexOf('/')
      return { apiVersion: slash < 0 ? 'v1' : text.slice(0, slash), kind: text.slice(slash + 1), namespace, verbs, at }
    })
  }
  const kind = textOf(pattern['kind'])
  return kind === '' ? [] : [{ apiVersion: textOf(pattern['apiVersion']), kind, namespace, verbs, at }]
}

const reviews = { resource: { group: 'authorization.k8s.io', version: 'v1', plural: 'subjectaccessreviews' } }

/** Refuses policies that ask the background for what its account may not do. */
export function permissionCheck(reach: () => { readonly client: Client; readonly served: ServedKinds }): PolicyCheck {
  return async (policy) => {
    const problems: Problem[] = []
    for (const need of needsOf(policy)) {
      if ([need.kind, need.apiVersion].some((text) => isVariable(text) || text.includes('*'))) continue
      const { client, served } = reach()
      const info = await served.find(need.apiVersion, need.kind)
      if (!info) continue
      const missing: string[] = []
      for (const verb of need.verbs) if (!(await mayDo(verb, info, need, client))) missing.push(verb)
      if (missing.length === 0) continue
      const who = accountOf('background-controller')
      const what = `${parseApiVersion(need.apiVersion).group}/${info.plural}`.replace(/^\//, '')
      problems.push({
        code: 'policy-permission-missing',
        at: need.at,
        message: `${who} requires permissions ${missing.join(',')} for resource ${need.apiVersion}/${need.kind}`,
        cure: `grant ${missing.join(', ')} on ${what} with a ClusterRole that is labelled rbac.kyverno.io/aggregate-to-background-controller: "true"`,
      })
    }
    return { problems, warnings: [] }
  }
}

async function mayDo(
  verb: string,
  info: { readonly group: string; readonly plural: string; readonly namespaced: boolean },
  { namespace = '' }: Need,
  client: Client,
): Promise<boolean> {
  const where = info.namespaced && namespace !== '' && !isVariable(namespace) ? { namespace } : {}
  const review = {
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SubjectAccessReview',
    spec: {
      user: accountOf('background-controller'),
      groups: ['system:serviceaccounts', 'system:serviceaccounts:kyverno', 'system:authenticated'],
      resourceAttributes: { verb, group: info.group, resource: info.plural, ...where },
    },
  }
  const answer = await client.create(reviews, review)
  // A review that cannot be had is no reason to refuse.
  return !answer.ok || fieldsOf(answer.value['status'])['allowed'] === true
}
