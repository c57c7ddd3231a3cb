import { createComparer } from '../../gitops/compare/comparer.ts'
import type { DiffFacts } from '../../gitops/compare/diff.ts'
import { maskSecrets } from '../../gitops/compare/mask.ts'
import type { KindFactsOf } from '../../gitops/compare/normal-form.ts'
import { readResourceSettings } from '../../gitops/compare/resource-settings.ts'
import { parseApplication } from '../../gitops/application/application.ts'
import type { KubeObject } from '../../kube/object.ts'
import { type BuiltinSchemas, builtinSchemas } from '../../kube/schema/builtin.ts'
import { readStructural } from '../../kube/schema/structural.ts'
import { readData } from '../../lib/data-file.ts'
import { isObject } from '../../lib/json.ts'
import { fail, type Result, succeed } from '../../lib/result.ts'
import { differingPaths } from '../../gitops/compare/differing-paths.ts'
import type { EvalRequest } from './ops.ts'

let known: BuiltinSchemas | undefined
const schemas = (): BuiltinSchemas => (known ??= builtinSchemas(readData))

const wrong = (at: string, message: string): Result<never> => fail({ code: 'eval-request-invalid', at, message })

/** What differs between Git and the cluster: `{target, live, application?, settings?, schema?, …}` (docs/eval.md). */
export function evaluate(request: EvalRequest): Result<unknown> {
  const { target, live, settings = {}, schema, predicted, admitted } = request
  if (!isKubeObject(target)) return wrong('target', 'target must be a Kubernetes object')
  if (!isKubeObject(live)) return wrong('live', 'live must be a Kubernetes object')
  if (!isTexts(settings)) return wrong('settings', 'settings must be the data of the ConfigMap argocd-cm: texts by key')
  const application = parseApplication(applicationOf(request['application']))
  if (!application.ok) return application
  const builtin = schemas()
  const read = readResourceSettings(settings)
  const comparer = createComparer({
    application: application.value,
    settings: read,
    kinds: kindsOf(builtin, schema),
    builtin,
  })
  const problems = [...read.problems, ...comparer.problems]
  if (problems.length > 0) return { ok: false, error: problems }
  const facts: DiffFacts = {
    ...(isKubeObject(predicted) ? { predicted } : {}),
    ...(isKubeObject(admitted) ? { admitted } : {}),
  }
  const found = comparer.diff(target, live, facts)
  if (found.problems.length > 0) return { ok: false, error: found.problems }
  const [shownLive, shownPredicted] = maskSecrets([found.normalizedLive, found.predictedLive], read.maskedAnnotations)
  return succeed({
    status: found.modified ? 'OutOfSync' : 'Synced',
    paths: differingPaths(shownLive, shownPredicted),
    admitted: found.admittedPaths,
    live: shownLive,
    predicted: shownPredicted,
  })
}

/** Only what says how to compare is needed of an Application. */
function applicationOf(given: unknown): unknown {
  const { metadata = {}, spec = {} } = isObject(given) ? given : {}
  return { metadata, spec: { destination: {}, ...(isObject(spec) ? spec : {}) } }
}

function kindsOf(builtin: BuiltinSchemas, schema: unknown): KindFactsOf {
  const custom = isObject(schema) ? readStructural(schema) : undefined
  return (gvk) => {
    const own = builtin.schemaOf(gvk)
    if (own) return { schema: own, isBuiltin: true }
    return custom ? { schema: custom, isBuiltin: false } : undefined
  }
}

function isKubeObject(value: unknown): value is KubeObject {
  return (
    isObject(value) &&
    typeof value['apiVersion'] === 'string' &&
    typeof value['kind'] === 'string' &&
    isObject(value['metadata'])
  )
}

function isTexts(value: unknown): value is Readonly<Record<string, string>> {
  return isObject(value) && Object.values(value).every((text) => typeof text === 'string')
}
