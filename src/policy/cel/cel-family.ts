import type { KubeObject } from '../../kube/object.ts'
import { fail, type Problem, type Result } from '../../lib/result.ts'
import type { CompiledPolicy, PolicyFamily } from '../engine/compiled-policy.ts'
import { compileDeletingPolicy, lintDeletingPolicy } from './deleting.ts'
import { compileGeneratingPolicy, lintGeneratingPolicy } from './generating.ts'
import { compileImagePolicy, lintImagePolicy } from './image-validating.ts'
import { compileMutatingPolicy, lintMutatingPolicy } from './mutating.ts'
import { compileNativePolicy, lintNativePolicy } from './native.ts'
import { compileValidatingPolicy, lintValidatingPolicy } from './validating.ts'

interface Language {
  readonly compile: (object: KubeObject) => Result<CompiledPolicy>
  readonly lint: (object: KubeObject) => readonly Problem[]
}

const KYVERNO = 'policies.kyverno.io/'
const NATIVE = 'admissionregistration.k8s.io/'
const nativeKinds: ReadonlySet<string> = new Set(['ValidatingAdmissionPolicy', 'MutatingAdmissionPolicy'])

const validating: Language = { compile: compileValidatingPolicy, lint: lintValidatingPolicy }
const generating: Language = { compile: compileGeneratingPolicy, lint: lintGeneratingPolicy }
const deleting: Language = { compile: compileDeletingPolicy, lint: lintDeletingPolicy }
const images: Language = { compile: compileImagePolicy, lint: lintImagePolicy }
const native: Language = { compile: compileNativePolicy, lint: lintNativePolicy }
const mutating: Language = { compile: compileMutatingPolicy, lint: lintMutatingPolicy }

const kyverno: ReadonlyMap<string, Language> = new Map([
  ['ValidatingPolicy', validating],
  ['NamespacedValidatingPolicy', validating],
  ['MutatingPolicy', mutating],
  ['NamespacedMutatingPolicy', mutating],
  ['GeneratingPolicy', generating],
  ['NamespacedGeneratingPolicy', generating],
  ['DeletingPolicy', deleting],
  ['NamespacedDeletingPolicy', deleting],
  ['ImageValidatingPolicy', images],
  ['NamespacedImageValidatingPolicy', images],
])

function languageOf({
  apiVersion,
  kind,
}: {
  readonly apiVersion: string
  readonly kind: string
}): Language | undefined {
  if (apiVersion.startsWith(KYVERNO)) return kyverno.get(kind)
  return apiVersion.startsWith(NATIVE) && nativeKinds.has(kind) ? native : undefined
}

const unknownKind = ({ apiVersion, kind }: KubeObject): { readonly ok: false; readonly error: readonly Problem[] } =>
  fail({
    code: 'policy-kind-unknown',
    at: 'kind',
    message: `${apiVersion} ${kind} is not a policy that is written in CEL`,
  })

/** Reads a policy that is written in CEL. */
export function compileCelPolicy(object: KubeObject): Result<CompiledPolicy> {
  return languageOf(object)?.compile(object) ?? unknownKind(object)
}

/** The policies that are written in CEL. */
export const celFamily: PolicyFamily = {
  name: 'cel',
  reads: (object) => languageOf(object) !== undefined,
  compile: compileCelPolicy,
  lint(object) {
    const language = languageOf(object)
    return language ? [...language.lint(object), ...reachProblems(object)] : unknownKind(object).error
  },
}

const CALLS_HTTP = /(?<![.\w'"])http\s*\.\s*(?:[Gg]et|[Pp]ost|[Cc]lient)\s*\(/
const DEEPEST = 50

/** Whoever may write policies in a namespace must not be able to send requests from the cluster (kyverno 1.18, pkg/cel/policies). */
function reachProblems(object: KubeObject): readonly Problem[] {
  if (!object.kind.startsWith('Namespaced') || !callsHttp(object['spec'], 0)) return []
  return [
    {
      code: 'policy-field-invalid',
      at: 'spec',
      message: 'Forbidden: http.* is not allowed in namespaced policies',
    },
  ]
}

function callsHttp(value: unknown, depth: number): boolean {
  if (typeof value === 'string') return CALLS_HTTP.test(value)
  if (depth > DEEPEST || typeof value !== 'object' || value === null) return false
  return Object.values(value).some((part) => callsHttp(part, depth + 1))
}
