import { isObject, own } from '../../lib/json.ts'

/** A compiled JSON path of the simple kind that printer columns use. */
export type JsonPath = readonly Step[]

type Step =
  | { readonly is: 'name'; readonly name: string }
  | { readonly is: 'index'; readonly index: number }
  | { readonly is: 'all' }
  | { readonly is: 'where'; readonly path: readonly string[]; readonly isEqual: boolean; readonly value: unknown }

const STEP =
  /\.((?:[^.[\]\\]|\\.)+)|\['((?:[^'\\]|\\.)*)'\]|\["((?:[^"\\]|\\.)*)"\]|\[(-?\d+)\]|(\[\*\]|\.\*)|\[\?\(\s*@((?:\.[\w-]+)+)\s*(==|!=)\s*(?:'([^']*)'|"([^"]*)"|(-?[\d.]+|true|false))\s*\)\]/y

/** Reads `.status.conditions[?(@.type=="Ready")].status`; undefined when it is no path that we know. */
export function parseJsonPath(text: string): JsonPath | undefined {
  let source = text.trim()
  if (source.startsWith('{') && source.endsWith('}')) source = source.slice(1, -1)
  if (source.startsWith('$')) source = source.slice(1)
  if (source === '' || source === '.') return source === '.' ? [] : undefined
  if (!source.startsWith('.') && !source.startsWith('[')) source = `.${source}`
  const steps: Step[] = []
  STEP.lastIndex = 0
  while (STEP.lastIndex < source.length) {
    const found = STEP.exec(source)
    if (!found) return undefined
    steps.push(stepOf(found))
  }
  return steps
}

function stepOf(found: RegExpExecArray): Step {
  const [, plain, single, double, index, all, path, operator, text1, text2, bare] = found
  const name = plain ?? single ?? double
  if (all !== undefined) return { is: 'all' }
  if (name !== undefined) return name === '*' ? { is: 'all' } : { is: 'name', name: name.replace(/\\(.)/g, '$1') }
  if (index !== undefined) return { is: 'index', index: Number(index) }
  const value = text1 ?? text2 ?? (JSON.parse(bare ?? 'null') as unknown)
  return { is: 'where', path: (path ?? '').split('.').slice(1), isEqual: operator === '==', value }
}

/** The first value that a path leads to; undefined where it leads nowhere. */
export function firstAt(path: JsonPath, value: unknown): unknown {
  return valuesAt(path, value)[0]
}

/** Every value that a path leads to. */
export function valuesAt(path: JsonPath, value: unknown): readonly unknown[] {
  let values: readonly unknown[] = [value]
  for (const step of path) values = values.flatMap((one) => below(step, one))
  return values
}

function below(step: Step, value: unknown): readonly unknown[] {
  switch (step.is) {
    case 'name': {
      const found = isObject(value) ? own(value, step.name) : undefined
      return found === undefined ? [] : [found]
    }
    case 'index': {
      const found: unknown = Array.isArray(value) ? value.at(step.index) : undefined
      return found === undefined ? [] : [found]
    }
    case 'all':
      return Array.isArray(value) ? value : isObject(value) ? Object.values(value) : []
    case 'where':
      return Array.isArray(value) ? value.filter((one) => holds(step, one)) : []
  }
}

function holds({ path, isEqual, value }: Extract<Step, { is: 'where' }>, item: unknown): boolean {
  const found = path.reduce<unknown>((at, name) => (isObject(at) ? own(at, name) : undefined), item)
  return (found === value) === isEqual
}
