import { apiVersionOf, gvkOf } from '../../kube/gvk.ts'
import type { KubeObject } from '../../kube/object.ts'
import type { Program } from '../../lang/cel/program.ts'
import { boolType } from '../../lang/cel/type.ts'
import { isObject } from '../../lib/json.ts'
import { fail, type Problem, type Result, succeed } from '../../lib/result.ts'
import type { CompiledPolicy, Phase, PolicyWorld } from '../engine/compiled-policy.ts'
import type { PolicyRequest } from '../engine/policy-request.ts'
import type { GeneratedResource, PolicyIdentity, PolicyResponse, RuleResponse } from '../engine/rule-response.ts'
import { envelopeOf, isEnabled, policyOf, specFields } from './envelope.ts'
import { policyEnvironment } from './environment.ts'
import { type Evaluated, Evaluation, kyvernoMakers } from './evaluation.ts'
import { Exceptions, exemptionOf, exemptResponse } from './exceptions.ts'
import { Compilation } from './expression.ts'
import { type Generation, Generator } from './libraries/generator.ts'
import { type Asker, askerOf } from './libraries/outside.ts'
import { compileMatch, concernsOf, constraintProblems, type Matches, type MatchResources } from './match.ts'
import {
  annotationsOf,
  type AuditAnnotation,
  compileAnnotations,
  compileConditions,
  compileVariables,
  type Condition,
  conditionsHold,
  type Named,
} from './parts.ts'
import { isClusterScoped } from './scope.ts'
import { compileTemplate, type Template, type TemplateSpec } from './template.ts'

/** The fields of a GeneratingPolicy that are read. */
export interface GeneratingSpec {
  readonly matchConstraints?: MatchResources
  readonly matchConditions?: readonly Named[]
  readonly variables?: readonly Named[]
  readonly generate?: readonly { readonly expression?: string; readonly template?: TemplateSpec }[]
  readonly auditAnnotations?: readonly AuditAnnotation[]
  readonly useServerSideApply?: boolean
}

type Step = { readonly program: Program } | { readonly template: Template }

interface Compiled {
  readonly identity: PolicyIdentity
  readonly matches: Matches
  readonly conditions: readonly Condition[]
  readonly variables: ReadonlyMap<string, Program>
  readonly steps: readonly Step[]
  readonly annotations: ReadonlyMap<string, Program>
  readonly exceptions: Exceptions
  readonly options: Pick<GeneratedResource, 'synchronize' | 'orphanDownstreamOnPolicyDelete' | 'useServerSideApply'>
}

const specOf = (object: KubeObject): GeneratingSpec => specFields(object)

function compile(object: KubeObject, identity: PolicyIdentity): Result<Compiled> {
  const spec = specOf(object)
  const environment = policyEnvironment('generate', identity.namespace ?? '')
  const compilation = new Compilation(environment)
  const matches = compilation.take(compileMatch(spec.matchConstraints, 'spec.matchConstraints'))
  const conditions = compileConditions(compilation, spec.matchConditions, 'spec.matchConditions')
  const variables = compileVariables(compilation, spec.variables)
  const steps = compileSteps(compilation, spec)
  const annotations = compileAnnotations(compilation, spec.auditAnnotations)
  if (!matches || compilation.problems.length > 0) return fail(...compilation.problems)
  const fields = specFields(object)
  return succeed({
    identity,
    matches,
    conditions,
    variables,
    steps,
    annotations,
    exceptions: new Exceptions(identity, environment),
    options: {
      synchronize: isEnabled(fields, 'synchronize', false),
      orphanDownstreamOnPolicyDelete: isEnabled(fields, 'orphanDownstreamOnPolicyDelete', false),
      useServerSideApply: spec.useServerSideApply === true,
    },
  })
}

function compileSteps(compilation: Compilation, { generate = [] }: GeneratingSpec): readonly Step[] {
  return generate.flatMap(({ expression = '', template }, index): readonly Step[] => {
    const at = `spec.generate[${index}]`
    if (template && expression !== '') {
      compilation.refuse({
        code: 'policy-field-invalid',
        at,
        message: 'Invalid value: only one of expression or template may be set',
      })
      return []
    }
    if (template) {
      const compiled = compileTemplate(template, `${at}.template.value`, compilation)
      return compiled ? [{ template: compiled }] : []
    }
    if (expression === '') {
      compilation.refuse({
        code: 'policy-field-required',
        at,
        message: 'Required value: one of expression or template must be set',
      })
      return []
    }
    const compiled = compilation.expression(expression, `${at}.expression`, [boolType])
    return compiled ? [{ program: compiled.program }] : []
  })
}

/** Reads a GeneratingPolicy or NamespacedGeneratingPolicy. */
export function compileGeneratingPolicy(object: KubeObject): Result<CompiledPolicy> {
  const envelope = envelopeOf(object)
  const compiled = compile(object, envelope.identity)
  if (!compiled.ok) return compiled
  return succeed(
    policyOf(
      {
        ...envelope,
        // What triggers a generation is never refused because of it.
        failurePolicy: 'Ignore',
        phases: new Set<Phase>(['generate']),
        concerns: concernsOf(specOf(object).matchConstraints),
      },
      (_phase, request, world) => generate(compiled.value, request, world),
    ),
  )
}

function generate(
  compiled: Compiled,
  request: PolicyRequest,
  world: PolicyWorld,
): Omit<PolicyResponse, 'policy'> | undefined {
  if (!compiled.matches(request)) return undefined
  const asker = askerOf(world)
  const rule = ruleOf(compiled, request, asker)
  return { rules: rule ? [rule] : [], needs: asker.needs.all }
}

function ruleOf(compiled: Compiled, request: PolicyRequest, asker: Asker): RuleResponse | undefined {
  const base = { rule: compiled.identity.name, ruleType: 'Generation' } as const
  const failure = (because: string): RuleResponse => ({
    ...base,
    verdict: 'error',
    message: `failed to evaluate policy: ${because}`,
  })
  const generator = new Generator()
  const evaluation = new Evaluation({
    occasion: { request, asker },
    makers: kyvernoMakers,
    variables: compiled.variables,
  })
  evaluation.bind('generator', generator)
  const current = compiled.exceptions.current(asker.world)
  if (current.length > 0) {
    const exempted = exemptionOf(current, evaluation, conditionsHold)
    if (!exempted.ok) return failure(exempted.because)
    if (exempted.value.granted) return exemptResponse(exempted.value.granted, 'Generation')
    evaluation.bind('exceptions', exempted.value.scope)
  }
  const concerned = conditionsHold(compiled.conditions, evaluation)
  if (!concerned.ok) return failure(concerned.because)
  if (!concerned.value) return undefined
  for (const step of compiled.steps) {
    const taken = takeStep(step, compiled, evaluation, generator)
    if (!taken.ok) return failure(taken.because)
  }
  const generated = generatedOf(compiled, generator.made, request)
  if (!generated.ok) return failure(generated.because)
  const annotated = annotationsOf(compiled.annotations, evaluation)
  if (!annotated.ok) return failure(annotated.because)
  return {
    ...base,
    verdict: 'pass',
    message: 'policy evaluated successfully',
    generated: generated.value,
    ...(Object.keys(annotated.value).length > 0 ? { auditAnnotations: annotated.value } : {}),
  }
}

function takeStep(
  ...[step, { identity }, evaluation, generator]: [Step, Compiled, Evaluation, Generator]
): Evaluated<undefined> {
  if ('program' in step) {
    const result = evaluation.evaluate(step.program)
    return result.ok ? { ok: true, value: undefined } : result
  }
  const rendered = step.template(evaluation)
  if (!rendered.ok) return { ok: false, because: `failed to render generation template: ${rendered.because}` }
  for (const resource of rendered.value) {
    const metadata = isObject(resource['metadata']) ? resource['metadata'] : {}
    const own = typeof metadata['namespace'] === 'string' ? metadata['namespace'] : ''
    const namespace = own === '' ? (identity.namespace ?? '') : own
    if (identity.namespace !== undefined && namespace !== identity.namespace) {
      return {
        ok: false,
        because: `cross-namespace generation denied: a policy in namespace ${JSON.stringify(identity.namespace)} cannot generate resources into namespace ${JSON.stringify(namespace)}`,
      }
    }
    generator.made.push({ namespace, resource })
  }
  return { ok: true, value: undefined }
}

const isKubeObject = (value: unknown): value is KubeObject =>
  isObject(value) &&
  typeof value['apiVersion'] === 'string' &&
  typeof value['kind'] === 'string' &&
  isObject(value['metadata'])

/** A list stands for its items. */
function itemsOf({ namespace, resource }: Generation): readonly Generation[] {
  const { items, kind } = resource
  if (!Array.isArray(items) || typeof kind !== 'string' || !kind.endsWith('List')) return [{ namespace, resource }]
  return items.filter(isObject).map((item) => ({ namespace, resource: item }))
}

function generatedOf(
  compiled: Compiled,
  made: readonly Generation[],
  request: PolicyRequest,
): Evaluated<readonly GeneratedResource[]> {
  const generated: GeneratedResource[] = []
  for (const { namespace, resource } of made.flatMap(itemsOf)) {
    if (!isKubeObject(resource))
      return { ok: false, because: 'failed to generate resources: a resource needs apiVersion, kind and metadata' }
    const isCluster = isClusterScoped(resource.kind)
    if (isCluster && compiled.identity.namespace !== undefined) {
      return {
        ok: false,
        because: `cross-scope generation denied: a policy scoped to namespace ${JSON.stringify(compiled.identity.namespace)} cannot generate cluster-scoped resource ${resource.apiVersion}/${resource.kind}`,
      }
    }
    const target = isCluster ? '' : namespace
    const copied = sourceOf(resource)
    generated.push({
      resource: cleaned(resource, target, request.source === 'offline'),
      ...(copied ? { source: copied } : {}),
      ...compiled.options,
    })
  }
  return { ok: true, value: generated }
}

/** What was read from the cluster is a copy of it. */
function sourceOf(resource: KubeObject): GeneratedResource['source'] {
  const { name, namespace, resourceVersion, uid } = resource.metadata
  if (name === undefined || (resourceVersion === undefined && uid === undefined)) return undefined
  return {
    apiVersion: apiVersionOf(gvkOf(resource)),
    kind: resource.kind,
    name,
    ...(namespace === undefined ? {} : { namespace }),
  }
}

/** The resource as it is to be made: what only the server sets is left out, and an owner in another namespace. */
function cleaned(resource: KubeObject, namespace: string, isOffline: boolean): KubeObject {
  const {
    uid: _uid,
    selfLink: _selfLink,
    resourceVersion: _version,
    creationTimestamp: _created,
    managedFields: _managed,
    generation: _generation,
    namespace: before,
    ownerReferences,
    annotations,
    ...metadata
  } = resource.metadata
  const staysPut = before === undefined || before === namespace
  return {
    ...resource,
    metadata: {
      ...metadata,
      ...(namespace === '' ? {} : { namespace }),
      ...(ownerReferences && staysPut ? { ownerReferences } : {}),
      ...(annotations && !isOffline ? { annotations } : {}),
    },
  }
}

/** What an author of such a policy must change. */
export function lintGeneratingPolicy(object: KubeObject): readonly Problem[] {
  const compiled = compile(object, envelopeOf(object).identity)
  return [...(compiled.ok ? [] : compiled.error), ...constraintProblems(specOf(object).matchConstraints)]
}
