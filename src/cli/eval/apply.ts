import { load, YAMLException } from 'js-yaml'
import { writeFieldsV1 } from '../../kube/patch/apply/fields-v1.ts'
import { TypeNotation } from '../../kube/patch/apply/notation.ts'
import type { Path } from '../../kube/patch/apply/path-set.ts'
import { pathFromPlain, plainPath } from '../../kube/patch/apply/plain-path.ts'
import { runScenario, type Scenario, type ScenarioEnd, type Step } from '../../kube/patch/apply/scenario.ts'
import { deducedType, objectTypeOf, type Type } from '../../kube/patch/apply/type.ts'
import { attempt } from '../../kube/patch/refusal.ts'
import { isObject } from '../../lib/json.ts'
import { fail, type Result, succeed } from '../../lib/result.ts'
import { documentType } from './document-type.ts'
import type { EvalRequest } from './ops.ts'

/** The op `apply`: server-side apply, as a chain of steps on one object. */
export function evaluate(request: EvalRequest): Result<unknown> {
  const typeIn = typesOf(request)
  if (!typeIn.ok) return typeIn
  const steps = stepsOf(request['ops'])
  if (!steps.ok) return steps
  const { apiVersion } = request
  const names = namesOf(request['names'])
  const ended = runScenario({
    steps: steps.value,
    typeIn: typeIn.value,
    ignored: ignoredOf(request['ignored']),
    ...(names ? { names } : {}),
    ...(typeof apiVersion === 'string' ? { answerIn: apiVersion } : {}),
  })
  return ended.ok ? succeed(answer(ended.value)) : ended
}

function answer({ object, managers, conflicts }: ScenarioEnd): unknown {
  const managed = [...managers].map(([manager, { set, apiVersion, applied }]) => [
    manager,
    { apiVersion, applied, fields: [...set.paths()].map(plainPath), fieldsV1: writeFieldsV1(set) },
  ])
  return {
    object,
    managed: Object.fromEntries(managed) as unknown,
    conflicts: conflicts.map((found) => found.map(({ manager, path }) => ({ manager, path: plainPath(path) }))),
  }
}

/** `schema`: `deduced`, types in the notation of structured-merge-diff (a text or an object), `{apiVersion, kind}`, or `{openapi, root}`. */
function typesOf({ schema, root }: EvalRequest): Result<Scenario['typeIn']> {
  if (schema === undefined || schema === 'deduced') return succeed(() => deducedType)
  if (isObject(schema) && !Object.hasOwn(schema, 'types')) {
    const found = documentType(schema)
    return found.ok ? succeed(() => objectTypeOf(found.value)) : found
  }
  const document = typeof schema === 'string' ? parseYaml(schema) : succeed(schema)
  if (!document.ok) return document
  return attempt(() => {
    const types = new TypeNotation(document.value)
    const fixed = typeof root === 'string' && root !== '$apiVersion' ? root : undefined
    return (apiVersion: string): Type | undefined => types.named(fixed ?? apiVersion)
  })
}

function parseYaml(text: string): Result<unknown> {
  try {
    return succeed(load(text))
  } catch (thrown) {
    if (!(thrown instanceof YAMLException)) throw thrown
    return fail({ code: 'apply-types-invalid', at: 'schema', message: `the notation is not YAML: ${thrown.reason}` })
  }
}

const kinds: readonly unknown[] = ['Apply', 'ForceApply', 'Update', 'ExtractApply'] satisfies Step['op'][]

function stepsOf(ops: unknown): Result<readonly Step[]> {
  const list: readonly unknown[] = Array.isArray(ops) ? ops : []
  const wrong = list.findIndex(
    (op) =>
      !isObject(op) ||
      !kinds.includes(op['op']) ||
      typeof op['manager'] !== 'string' ||
      typeof op['apiVersion'] !== 'string',
  )
  if (list.length > 0 && wrong < 0) return succeed(list as readonly Step[])
  return fail({
    code: 'eval-steps-invalid',
    at: wrong < 0 ? 'ops' : `ops[${wrong}]`,
    message: `ops must be a list of {op: ${kinds.join(' | ')}, manager, apiVersion, object}`,
  })
}

function ignoredOf(ignored: unknown): ReadonlyMap<string, readonly Path[]> {
  if (!isObject(ignored)) return new Map()
  return new Map(
    Object.entries(ignored).map(([version, paths]) => [
      version,
      (Array.isArray(paths) ? (paths as readonly unknown[]) : []).flatMap((path) => {
        const found = Array.isArray(path) ? pathFromPlain(path) : undefined
        return found ? [found] : []
      }),
    ]),
  )
}

/** `names`: for each version its words for common names of fields. */
function namesOf(names: unknown): Scenario['names'] {
  if (!isObject(names)) return undefined
  return new Map(
    Object.entries(names).map(([version, words]) => [
      version,
      new Map(Object.entries(isObject(words) ? words : {}).map(([name, word]) => [name, String(word)])),
    ]),
  )
}
