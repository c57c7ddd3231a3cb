import { readData } from '../../lib/data-file.ts'
import { seededIds } from '../../lib/ids.ts'
import type { Json } from '../../lib/json.ts'
import { explain, succeed } from '../../lib/result.ts'
import { parseYaml } from '../../lib/yaml.ts'
import { gvkOf } from '../../kube/gvk.ts'
import type { KubeObject } from '../../kube/object.ts'
import { type MergeTable, readMergeTable } from '../../render/kustomize/merge/table.ts'
import type { CompiledPolicy, PolicyWorld } from '../engine/compiled-policy.ts'
import { type FactNeed, keyOfNeed } from '../engine/fact.ts'
import { nobody, type PolicyRequest } from '../engine/policy-request.ts'
import type { PolicyResponse } from '../engine/rule-response.ts'
import { compilePolicy } from './family.ts'

/** How the kinds of Kubernetes merge. */
export const schemas: MergeTable = readMergeTable(new TextDecoder().decode(readData('kustomize/merge-table')))

/** An object from YAML. */
export function objectFrom(text: string): KubeObject {
  const read = parseYaml(text)
  if (!read.ok) throw new Error(read.error.map(explain).join('; '))
  return read.value as KubeObject // tests write objects
}

/** A policy about Pods from the YAML of its rules, which are indented by two. */
export function policyFrom(rules: string, spec: string = ''): CompiledPolicy {
  const head = 'apiVersion: kyverno.io/v1\nkind: ClusterPolicy\nmetadata: {name: p}\nspec:\n'
  return compilePolicy(objectFrom(`${head}${spec}  rules:\n${rules}`), schemas)
}

/** A world with these facts. */
export function worldWith(
  facts: readonly (readonly [FactNeed, Json])[] = [],
  exceptions: readonly KubeObject[] = [],
): PolicyWorld {
  return {
    facts: new Map(facts.map(([need, value]) => [keyOfNeed(need), succeed(value)])),
    exceptions,
    now: () => Date.UTC(2026, 0, 2, 3, 4, 5),
    ids: seededIds(1),
  }
}

/** The creation of an object. */
export function creating(object: KubeObject, more: Partial<PolicyRequest> = {}): PolicyRequest {
  const { name = '', namespace } = object.metadata
  return {
    source: 'admission',
    operation: 'CREATE',
    kind: gvkOf(object),
    name,
    ...(namespace === undefined ? {} : { namespace }),
    object,
    user: { ...nobody, username: 'jane', groups: ['dev'] },
    ...more,
  }
}

/** What rules said, in short: `rule verdict message`. */
export const said = ({ rules }: PolicyResponse): readonly string[] =>
  rules.map(({ rule, verdict, message }) => `${rule} ${verdict}: ${message}`)

/** A Pod with a container, and what the YAML says. */
export const pod = (more: string = ''): KubeObject =>
  objectFrom(
    `apiVersion: v1\nkind: Pod\nmetadata: {name: web, namespace: team-a, labels: {app: web}}\nspec:\n  containers:\n  - {name: a, image: "nginx:1.2"}\n${more}`,
  )
