import { compileGlob } from '../../lib/glob.ts'
import { isObject, type Json, type JsonObject } from '../../lib/json.ts'
import type { Problem } from '../../lib/result.ts'
import { parseApiVersion } from '../../kube/gvk.ts'
import type { KubeObject } from '../../kube/object.ts'
import { compileLua, type LuaProgram } from '../../lang/lua/lua.ts'
import type { HealthOverride, Overridden } from './health.ts'
import { health, unknown } from './notation.ts'
import { isHealthStatusCode } from './status.ts'

/** A user's check of a kind; group and kind may be globs. */
export interface LuaCheck {
  readonly group: string
  readonly kind: string
  readonly healthLua?: string
}

interface Compiled {
  readonly key: string
  readonly matches: (key: string) => boolean
  readonly program: LuaProgram | undefined
}

/** Users' checks, compiled once. One that does not compile makes objects of its kind Unknown, and says so. */
export function compileLuaChecks(checks: readonly LuaCheck[]): {
  readonly override: HealthOverride
  readonly problems: readonly Problem[]
} {
  const problems: Problem[] = []
  const compiled = checks.flatMap(({ group, kind, healthLua }): readonly Compiled[] => {
    if (healthLua === undefined || healthLua.trim() === '') return []
    const key = keyOf(group, kind)
    const glob = compileGlob(key, 'gobwas')
    const program = compileLua(healthLua, 'health')
    if (!program.ok) problems.push(...program.error.map((problem) => ({ ...problem, at: key })))
    return [{ key, matches: glob.ok ? glob.value : () => false, program: program.ok ? program.value : undefined }]
  })
  const exact = new Map(compiled.map((check) => [check.key, check]))
  const found = new Map<string, Compiled | undefined>()
  const checkFor = (key: string): Compiled | undefined => {
    if (!found.has(key)) found.set(key, exact.get(key) ?? compiled.find(({ matches }) => matches(key)))
    return found.get(key)
  }
  return {
    problems,
    override(object) {
      const check = checkFor(keyOf(parseApiVersion(object.apiVersion).group, object.kind))
      if (!check) return undefined
      return check.program
        ? judge(check.program, object)
        : unknown('the Lua health check of this kind does not compile')
    },
  }
}

const keyOf = (group: string, kind: string): string => (group === '' ? kind : `${group}/${kind}`)

/** What a check says; nothing at all is no health, and what is no health is said to be none. */
function judge(program: LuaProgram, object: KubeObject): Overridden {
  const result = program.run({ globals: { obj: object as unknown as JsonObject } }) // what the API serves is JSON
  if (!result.ok) return unknown(result.error[0]?.message)
  const said: Json = result.value
  if (said === null || (Array.isArray(said) && said.length === 0)) return 'none'
  if (!isObject(said)) return unknown(`the Lua health check returned a ${typeof said} instead of a table`)
  const { status, message } = said
  if (!isHealthStatusCode(status)) return unknown('Lua returned an invalid health status')
  return health(status, typeof message === 'string' ? message : undefined)
}
