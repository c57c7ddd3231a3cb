import { isObject, setOwn } from '../../../lib/json.ts'
import { fail, type Result, succeed } from '../../../lib/result.ts'
import type { Params } from './params.ts'
import type { Replace, TemplateDialect } from './renderer.ts'

/** Answers what a value becomes instead, or undefined to go on as usual. */
export type Exception = (value: unknown, path: readonly string[]) => Result<unknown> | undefined

export interface RenderDeep {
  readonly replace: Replace
  readonly params: Params
  readonly dialect: TemplateDialect
  readonly except?: Exception
}

const DEEPEST = 200

class Stop extends Error {
  readonly result: Result<never>
  constructor(result: Result<never>) {
    super()
    this.result = result
  }
}

const tooDeep = (): Result<never> =>
  fail({ code: 'document-too-deep', message: `a template is nested deeper than ${DEEPEST} levels` })

/** A value with every text in it filled, the keys of maps too; the first template that fails is the problem. */
export function renderDeep(value: unknown, options: RenderDeep): Result<unknown> {
  try {
    return succeed(render(value, options, []))
  } catch (stop) {
    if (stop instanceof Stop) return stop.result
    throw stop
  }
}

function take<T>(result: Result<T>): T {
  if (!result.ok) throw new Stop(result)
  return result.value
}

function render(value: unknown, options: RenderDeep, path: readonly string[]): unknown {
  const instead = options.except?.(value, path)
  if (instead) return take(instead)
  const text = (template: string): string => take(options.replace(template, options.params, options.dialect))
  if (typeof value === 'string') return text(value)
  if (typeof value !== 'object' || value === null) return value
  if (path.length > DEEPEST) throw new Stop(tooDeep())
  if (Array.isArray(value)) return value.map((item, index) => render(item, options, [...path, String(index)]))
  if (!isObject(value)) return value
  const rendered: Record<string, unknown> = {}
  for (const [key, item] of Object.entries(value)) {
    if (item === undefined) continue
    setOwn(rendered, text(key), render(item, options, [...path, key]))
  }
  return rendered
}
