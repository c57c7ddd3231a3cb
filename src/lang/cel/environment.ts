import type { Library, Overload } from './library/library.ts'
import type { Macro } from './syntax/macro.ts'
import { standardMacros } from './syntax/standard-macros.ts'
import { standardLibrary } from './library/standard.ts'
import type { ParseOptions } from './syntax/parser.ts'
import { type CelType, namedTypes } from './type.ts'

/** Where messages and objects with declared fields come from: a schema, or protobuf descriptors. */
export interface MessageProvider {
  /** The type a name stands for, when it is a message or a well-known type under its message name. */
  findType(name: string): CelType | undefined
  /** The type of a field of a message, or undefined when it has none. */
  fieldType(message: string, field: string): CelType | undefined
  /** The value of an enum constant under its full name. */
  enumValue?(name: string): number | undefined
  /** A message from its fields; throws EvaluationError for values that do not fit. */
  create?(message: string, fields: ReadonlyMap<string, unknown>): unknown
}

export interface EnvironmentOptions {
  /** The namespace that relative names are looked up in. */
  readonly container?: string
  /** Besides the standard library. */
  readonly libraries?: readonly Library[]
  readonly variables?: ReadonlyMap<string, CelType> | Readonly<Record<string, CelType>>
  readonly overloads?: readonly Overload[]
  readonly messages?: MessageProvider
  readonly syntax?: Omit<ParseOptions, 'macros'>
  /** Kubernetes' further checks: literals of lists and maps hold one type, literal patterns, durations and times are valid. */
  readonly isStrict?: boolean
}

/** A function under its full name with all its overloads. */
export interface FunctionDeclaration {
  readonly name: string
  readonly overloads: readonly Overload[]
}

/** What a name outside the expression's own variables stands for. */
export type Declaration =
  | { readonly is: 'variable'; readonly name: string; readonly type: CelType }
  | { readonly is: 'type'; readonly name: string; readonly type: CelType }
  | { readonly is: 'enum'; readonly name: string; readonly value: number }

const NO_LIBRARIES: readonly Library[] = []

/** What a list of libraries holds together with the standard library; made once for each list. */
interface Contents {
  readonly macros: readonly Macro[]
  readonly overloads: readonly Overload[]
  readonly functions: ReadonlyMap<string, FunctionDeclaration>
  readonly types: ReadonlyMap<string, CelType>
}

const known = new WeakMap<readonly Library[], Contents>()

function contentsOf(libraries: readonly Library[]): Contents {
  const found = known.get(libraries)
  if (found) return found
  const all = [standardLibrary, ...libraries]
  const overloads = all.flatMap((library) => library.overloads ?? [])
  const types = all.flatMap((library) => library.types ?? []).map((type) => [type.name, type] as const)
  const contents = {
    macros: [...standardMacros, ...libraries.flatMap((library) => library.macros ?? [])],
    overloads,
    functions: functionsOf(overloads),
    types: new Map([...namedTypes, ...types]),
  }
  known.set(libraries, contents)
  return contents
}

/** What an expression can refer to: variables, functions, types. Immutable; parsing, checking and planning read it. */
export class Environment {
  readonly container: string
  readonly macros: readonly Macro[]
  readonly messages: MessageProvider | undefined
  readonly syntax: Omit<ParseOptions, 'macros'>
  readonly variables: ReadonlyMap<string, CelType>
  readonly isStrict: boolean
  readonly #functions: ReadonlyMap<string, FunctionDeclaration>
  readonly #types: ReadonlyMap<string, CelType>

  constructor(options: EnvironmentOptions = {}) {
    const { container = '', libraries = NO_LIBRARIES, messages, syntax = {}, overloads = [], variables = {} } = options
    this.container = container
    this.messages = messages
    this.syntax = syntax
    this.isStrict = options.isStrict === true
    this.variables = variables instanceof Map ? variables : new Map(Object.entries(variables))
    const contents = contentsOf(libraries)
    this.macros = contents.macros
    this.#types = contents.types
    this.#functions = overloads.length === 0 ? contents.functions : functionsOf([...contents.overloads, ...overloads])
  }

  /** The names a relative name may mean, the innermost namespace first. A leading dot means the name as it is. */
  candidates(name: string): readonly string[] {
    if (name.startsWith('.')) return [name.slice(1)]
    if (this.container === '') return [name]
    const names: string[] = []
    for (let scope = this.container; scope !== ''; scope = scope.slice(0, Math.max(scope.lastIndexOf('.'), 0))) {
      names.push(`${scope}.${name}`)
    }
    names.push(name)
    return names
  }

  /** What a name stands for outside the expression's own variables. */
  resolve(name: string): Declaration | undefined {
    for (const candidate of this.candidates(name)) {
      const found = this.#lookUp(candidate)
      if (found) return found
    }
    return undefined
  }

  #lookUp(name: string): Declaration | undefined {
    const variable = this.variables.get(name)
    if (variable) return { is: 'variable', name, type: variable }
    const type = this.#typeNamed(name)
    if (type) return { is: 'type', name, type }
    const value = this.messages?.enumValue?.(name)
    return value === undefined ? undefined : { is: 'enum', name, value }
  }

  #typeNamed(name: string): CelType | undefined {
    if (name === 'dyn') return undefined
    return this.#types.get(name) ?? this.messages?.findType(name)
  }

  /** The type that a message literal names. */
  resolveMessage(name: string): { readonly name: string; readonly type: CelType } | undefined {
    for (const candidate of this.candidates(name)) {
      const type = this.messages?.findType(candidate) ?? this.#typeNamed(candidate)
      if (type) return { name: candidate, type }
    }
    return undefined
  }

  /** The function a relative name stands for. */
  resolveFunction(name: string): FunctionDeclaration | undefined {
    for (const candidate of this.candidates(name)) {
      const found = this.#functions.get(candidate)
      if (found) return found
    }
    return undefined
  }
}

/** Overloads by function; of two with one id, the earlier library's wins. */
function functionsOf(overloads: readonly Overload[]): ReadonlyMap<string, FunctionDeclaration> {
  const functions = new Map<string, Overload[]>()
  const seen = new Set<string>()
  for (const overload of overloads) {
    if (seen.has(overload.id)) continue
    seen.add(overload.id)
    const known = functions.get(overload.name)
    if (known) known.push(overload)
    else functions.set(overload.name, [overload])
  }
  return new Map([...functions].map(([name, list]) => [name, { name, overloads: list }]))
}
