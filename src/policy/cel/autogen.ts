import { isObject, setOwn } from '../../lib/json.ts'
import type { MatchResources } from './match.ts'
import type { MutatingSpec } from './mutating.ts'
import type { ValidatingSpec } from './validating.ts'

/** What a generated form of a policy is for. */
export interface AutogenTarget {
  readonly group: string
  readonly version: string
  readonly resource: string
  readonly kind: string
}

/** A form of a policy for kinds that make Pods. */
export interface Autogen<T> {
  readonly name: string
  readonly targets: readonly AutogenTarget[]
  readonly spec: T
}

const apps = (resource: string, kind: string): AutogenTarget => ({ group: 'apps', version: 'v1', resource, kind })
const batch = (resource: string, kind: string): AutogenTarget => ({ group: 'batch', version: 'v1', resource, kind })

interface Controllers {
  readonly targets: readonly AutogenTarget[]
  /** Where the Pod's own fields are below the controller. */
  readonly template: string
}

/** By name, in the order of the names (kyverno 1.18, pkg/cel/autogen). */
const configurations: Readonly<Record<'cronjobs' | 'defaults', Controllers>> = {
  cronjobs: { targets: [batch('cronjobs', 'CronJob')], template: 'spec.jobTemplate.spec.template' },
  defaults: {
    targets: [
      apps('daemonsets', 'DaemonSet'),
      apps('deployments', 'Deployment'),
      apps('replicasets', 'ReplicaSet'),
      apps('statefulsets', 'StatefulSet'),
      batch('jobs', 'Job'),
    ],
    template: 'spec.template',
  },
}

const only = (list: readonly string[] | undefined, value: string): boolean => list?.length === 1 && list[0] === value

/** Only a policy that is about Pods, all of them and nothing else, is extended to what makes Pods. */
export function canAutogen(match: MatchResources | undefined): match is MatchResources {
  const rule = match?.resourceRules?.[0]
  if (!match || !rule || match.resourceRules?.length !== 1) return false
  const { matchLabels, matchExpressions = [] } = match.objectSelector ?? {}
  if (Object.keys(matchLabels ?? {}).length > 0 || matchExpressions.length > 0) return false
  if ((match.excludeResourceRules ?? []).length > 0 || (rule.resourceNames ?? []).length > 0) return false
  return only(rule.apiGroups, '') && only(rule.apiVersions, 'v1') && only(rule.resources, 'pods')
}

function constraintsFor(targets: readonly AutogenTarget[], match: MatchResources): MatchResources {
  const operations = match.resourceRules?.[0]?.operations ?? []
  const groups = new Map<string, AutogenTarget[]>()
  for (const target of targets) groups.set(target.group, [...(groups.get(target.group) ?? []), target])
  const resourceRules = [...groups].map(([group, members]) => ({
    apiGroups: [group],
    apiVersions: ['v1'],
    operations,
    resources: members.map(({ resource }) => resource).toSorted(),
  }))
  return { resourceRules, ...(match.namespaceSelector ? { namespaceSelector: match.namespaceSelector } : {}) }
}

interface WithAutogen {
  readonly matchConstraints?: MatchResources
  readonly autogen?: { readonly podControllers?: { readonly controllers?: readonly string[] } }
}

/** The forms of a policy for the kinds that make Pods, with its text rewritten for each. */
function autogenOf<T extends WithAutogen>(
  spec: T,
  rewrite: (spec: T, name: string, template: string) => T,
): readonly Autogen<T>[] {
  const match = spec.matchConstraints
  if (!canAutogen(match)) return []
  const wanted = spec.autogen?.podControllers?.controllers
  return (['cronjobs', 'defaults'] as const).flatMap((name) => {
    const { targets: all, template } = configurations[name]
    const targets = all.filter(({ resource }) => !wanted || wanted.includes(resource))
    if (targets.length === 0) return []
    const matchConstraints = constraintsFor(targets, match)
    return [{ name, targets, spec: rewrite({ ...spec, matchConstraints }, name, template) }]
  })
}

/** The forms of a ValidatingPolicy: `object.spec` and `object.metadata` become those of the Pod template, wherever they are written. */
export function validatingAutogen(spec: ValidatingSpec): readonly Autogen<ValidatingSpec>[] {
  return autogenOf(spec, (variant, _name, template) => {
    // A namespace is the controller's own: Pod templates have none.
    const below = (text: string): string =>
      text
        .replaceAll(/object\.spec(?!\.namespace(?![A-Za-z0-9_]))/g, `object.${template}.spec`)
        .replaceAll(/object\.metadata(?!\.namespace(?![A-Za-z0-9_]))/g, `object.${template}.metadata`)
        .replaceAll(/oldObject\.spec(?!\.namespace(?![A-Za-z0-9_]))/g, `oldObject.${template}.spec`)
        .replaceAll(/oldObject\.metadata(?!\.namespace(?![A-Za-z0-9_]))/g, `oldObject.${template}.metadata`)
    // Rewriting texts keeps the shape.
    return rewriteTexts(variant, below) as ValidatingSpec
  })
}

const DEEPEST = 100

function rewriteTexts(value: unknown, rewrite: (text: string) => string, depth = 0): unknown {
  if (typeof value === 'string') return rewrite(value)
  if (depth > DEEPEST) return value
  if (Array.isArray(value)) return value.map((item) => rewriteTexts(item, rewrite, depth + 1))
  if (!isObject(value)) return value
  const made: Record<string, unknown> = {}
  for (const [key, item] of Object.entries(value)) setOwn(made, key, rewriteTexts(item, rewrite, depth + 1))
  return made
}

const SPEC = /\b(object|oldObject|Object)\.spec/g
const LABELS = /\b(object|oldObject|Object)\.metadata\.labels/g
const ANNOTATIONS = /\b(object|oldObject|Object)\.metadata\.annotations/g

/** The forms of a MutatingPolicy: what it reads and what it makes is put below the Pod template (kyverno 1.18, pkg/cel/policies/mpol/autogen). */
export function mutatingAutogen(spec: MutatingSpec): readonly Autogen<MutatingSpec>[] {
  return autogenOf(spec, (variant, _name, template) => {
    const below = (text: string): string => belowTemplate(text, template)
    return {
      ...variant,
      ...(variant.matchConditions
        ? {
            matchConditions: variant.matchConditions.map((condition) => ({
              ...condition,
              expression: below(condition.expression),
            })),
          }
        : {}),
      mutations: (variant.mutations ?? []).map((mutation) => {
        const expression = mutation.applyConfiguration?.expression
        return expression ? { ...mutation, applyConfiguration: { expression: below(expression) } } : mutation
      }),
    }
  })
}

function belowTemplate(source: string, template: string): string {
  const text = source
    .replaceAll(SPEC, `$1.${template}.spec`)
    .replaceAll(LABELS, `$1.${template}.metadata.labels`)
    .replaceAll(ANNOTATIONS, `$1.${template}.metadata.annotations`)
  const found = /^\s*Object\s*\{/.exec(text)
  if (!found) return text
  const content = text.trim().slice(found[0].trim().length)
  const end = closingBrace(content)
  return end <= 0
    ? text
    : `${wrapper(template)}${content.slice(0, end)}${'}'.repeat(depthOf(template))}${content.slice(end + 1)}`
}

const depthOf = (template: string): number => template.split('.').length + 1

/** `Object{spec: Object.spec{template: Object.spec.template{`, whose last object the original is put into. */
function wrapper(template: string): string {
  let [text, path] = ['Object{', 'Object']
  for (const part of template.split('.')) {
    path += `.${part}`
    text += `${part}: ${path}{`
  }
  return text
}

/** Where the brace that was opened before is closed, counting braces alone as upstream does; -1 when nowhere. */
function closingBrace(text: string): number {
  let depth = 1
  for (let at = 0; at < text.length; at++) {
    if (text[at] === '{') depth++
    else if (text[at] === '}' && --depth === 0) return at
  }
  return -1
}
