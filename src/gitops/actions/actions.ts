import { isObject, type Json, type JsonObject } from '../../lib/json.ts'
import { fail, type Problem, type Result, succeed } from '../../lib/result.ts'
import { parseYaml } from '../../lib/yaml.ts'
import { parseApiVersion } from '../../kube/gvk.ts'
import type { KubeObject } from '../../kube/object.ts'
import { compileLua, type LuaProgram } from '../../lang/lua/lua.ts'
import { isSet, objectsOf, textOf } from '../fields.ts'
import type { ActionRun, Impact, ResourceAction } from './action.ts'
import { builtinActions, runBuiltinAction } from './builtin-actions.ts'

/** What `resource.customizations.actions.<group_kind>` says. */
export interface LuaActions {
  readonly group: string
  readonly kind: string
  readonly actions?: string
}

interface Compiled {
  readonly discovery: LuaProgram | undefined
  readonly mergesBuiltin: boolean
  readonly definitions: ReadonlyMap<string, LuaProgram>
}

/** The actions of an installation: those of users, and those that all have. */
export interface Actions {
  discover(object: KubeObject): Result<readonly ResourceAction[]>
  run(name: string, run: ActionRun): Result<readonly Impact[]>
  readonly problems: readonly Problem[]
}

/** Compiles users' actions; what does not compile is reported and left out. */
export function compileActions(customizations: readonly LuaActions[]): Actions {
  const problems: Problem[] = []
  const compiled = new Map(
    customizations.flatMap(({ group, kind, actions }) => {
      const read = actions === undefined ? undefined : compileOne(`${group}/${kind}`, actions, problems)
      return read ? [[`${group}/${kind}`, read] as const] : []
    }),
  )
  const of = (object: KubeObject): Compiled | undefined =>
    compiled.get(`${parseApiVersion(object.apiVersion).group}/${object.kind}`)
  return {
    problems,
    discover(object) {
      const own = of(object)
      if (!own) return succeed(builtinActions(object))
      const found = own.discovery ? discovered(own.discovery, object) : succeed([])
      if (!found.ok || !own.mergesBuiltin) return found
      const names = new Set(found.value.map(({ name }) => name))
      return succeed([...found.value, ...builtinActions(object).filter(({ name }) => !names.has(name))])
    },
    run(name, run) {
      const program = of(run.object)?.definitions.get(name)
      if (program) return impacts(program, run)
      const builtin = runBuiltinAction(name, run)
      const subject = `${run.object.kind} ${run.object.metadata.name ?? ''}`
      return builtin ?? fail({ code: 'action-unknown', message: `${subject} has no action ${JSON.stringify(name)}` })
    },
  }
}

function compileOne(key: string, text: string, problems: Problem[]): Compiled | undefined {
  const read = parseYaml(text)
  if (!read.ok) {
    problems.push(...read.error.map((problem) => ({ ...problem, at: key })))
    return undefined
  }
  const program = (source: string, name: string): LuaProgram | undefined => {
    const compiled = compileLua(source, name)
    if (compiled.ok) return compiled.value
    problems.push(...compiled.error.map((problem) => ({ ...problem, at: key })))
    return undefined
  }
  const discovery = textOf(read.value, 'discovery.lua')
  return {
    discovery: discovery === '' ? undefined : program(discovery, 'discovery'),
    mergesBuiltin: isSet(read.value, 'mergeBuiltinActions'),
    definitions: new Map(
      (objectsOf(read.value, 'definitions') ?? []).flatMap((definition) => {
        const name = textOf(definition, 'name')
        const made = program(textOf(definition, 'action.lua'), name)
        return made ? [[name, made] as const] : []
      }),
    ),
  }
}

const asJson = (object: KubeObject): JsonObject => object as unknown as JsonObject // what the API serves is JSON

function discovered(program: LuaProgram, object: KubeObject): Result<readonly ResourceAction[]> {
  const result = program.run({ globals: { obj: asJson(object) } })
  if (!result.ok) return result
  // A table without anything reads as a list.
  const found = isObject(result.value) ? result.value : {}
  return succeed(
    Object.keys(found)
      .toSorted()
      .map((name): ResourceAction => {
        const action = found[name]
        const displayName = textOf(action, 'displayName')
        return {
          name,
          disabled: isSet(action, 'disabled'),
          params: (objectsOf(action, 'params') ?? []).map((param) => {
            const preset = textOf(param, 'default')
            return { name: textOf(param, 'name'), ...(preset === '' ? {} : { default: preset }) }
          }),
          ...(displayName === '' ? {} : { displayName }),
        }
      }),
  )
}

const OPERATIONS = ['patch', 'create', 'delete'] as const

/** Scripts return the object itself, to be patched, or a list of operations. */
function impacts(program: LuaProgram, { object, params, nowMs }: ActionRun): Result<readonly Impact[]> {
  const result = program.run({ globals: { obj: asJson(object), actionParams: params }, nowMs })
  if (!result.ok) return result
  const said = result.value
  const list = Array.isArray(said) ? said : [{ operation: 'patch', resource: said }]
  const found: Impact[] = []
  for (const item of list as readonly Json[]) {
    const operation = OPERATIONS.find((one) => one === textOf(item, 'operation'))
    const resource = isObject(item) ? item['resource'] : undefined
    if (!operation || !isObject(resource) || !isObject(resource['metadata'])) {
      return fail({ code: 'action-failed', message: 'the script of the action returned no object' })
    }
    const given = operation === 'patch' ? mended(resource, object) : resource
    found.push({ operation, object: given as KubeObject }) // it has metadata; the API server judges the rest
  }
  return succeed(found)
}

/** Lua has one empty table for lists and maps: where there was a map, there is one. */
function mended(value: unknown, before: unknown): unknown {
  if (Array.isArray(value)) {
    if (value.length === 0 && isObject(before)) return {}
    return Array.isArray(before) ? value.map((item, index) => mended(item, before[index])) : value
  }
  if (!isObject(value) || !isObject(before)) return value
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, mended(item, before[name])]))
}
