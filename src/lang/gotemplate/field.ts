import { zeroOf } from './builtins.ts'
import { CallSite, NONE } from './call.ts'
import type { Run } from './run.ts'
import { entryOf } from './truth.ts'
import { type GoFunction, type GoType, HostObject, INTERFACE, MAP, STRING, typeOf } from './value.ts'

/** What a field is read with: arguments written after it, and what was piped into it. */
export interface FieldUse {
  readonly site: CallSite | undefined
  readonly final: unknown
}

const BARE: FieldUse = { site: undefined, final: NONE }

function missing(run: Run, name: string, elem: GoType | undefined): unknown {
  switch (run.missingKey) {
    case 'zero':
      return zeroOf(elem)
    case 'error':
      return run.fail(`map has no entry for key "${name}"`)
    default:
      return undefined
  }
}

const takesArguments = ({ final, site }: FieldUse): boolean =>
  final !== NONE || (site !== undefined && site.args.length > 0)

/** Reads `.name` of a value, or calls its method. `isBoxed`: the value was an item of a container of interface{}. */
export function readField(run: Run, receiver: unknown, name: string, isBoxed: boolean, use: FieldUse = BARE): unknown {
  if (receiver === undefined) {
    return run.missingKey === 'error' ? run.fail(`nil data; no entry for key "${name}"`) : undefined
  }
  if (receiver === null) return run.fail(`nil pointer evaluating interface {}.${name}`)
  const type = typeOf(receiver)
  const method = type?.methods?.get(name)
  if (method) return callMethod(run, method(receiver), name, use)
  const hasArguments = takesArguments(use)
  if (type?.kind === 'map' && (type.key ?? STRING).kind === 'string') {
    if (hasArguments) run.fail(`${name} is not a method but has arguments`)
    return entryOf(receiver, name) ?? missingEntry(run, receiver, name, type.elem)
  }
  if (receiver instanceof HostObject && receiver.fields.has(name)) {
    if (hasArguments) run.fail(`${name} has arguments but cannot be invoked as function`)
    return receiver.fields.get(name)
  }
  return run.fail(`can't evaluate field ${name} in type ${isBoxed || !type ? INTERFACE.name : type.name}`)
}

function missingEntry(run: Run, receiver: unknown, name: string, elem: GoType | undefined): unknown {
  return entryOf(receiver, name) === null ? null : missing(run, name, elem)
}

function callMethod(run: Run, method: GoFunction, name: string, use: FieldUse): unknown {
  return (use.site ?? new CallSite(name, [], undefined)).call(run, method, use.final)
}

const isInterfaceMap = (container: unknown): boolean => {
  const type = typeOf(container)
  return type?.kind === 'map' && type.elem === undefined
}

/** Reads `.a.b.c` of a value. */
export function readChain(
  run: Run,
  start: unknown,
  names: readonly string[],
  isBoxed: boolean,
  use: FieldUse = BARE,
): unknown {
  let value = start
  let container: unknown
  const last = names.length - 1
  for (let at = 0; at <= last; at++) {
    const name = names[at] ?? ''
    const before = value
    if (isPlainMap(value) && Object.hasOwn(value, name) && use === BARE) {
      value = value[name]
    } else {
      value = readField(run, value, name, at === 0 ? isBoxed : isInterfaceMap(container), at === last ? use : BARE)
    }
    container = before
  }
  return value
}

/** The quick case: a plain object without a type mark. */
function isPlainMap(value: unknown): value is Record<string, unknown> {
  return (
    typeof value === 'object' &&
    value !== null &&
    Object.getPrototypeOf(value) === Object.prototype &&
    typeOf(value) === MAP
  )
}
