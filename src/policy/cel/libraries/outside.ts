import { EvaluationError } from '../../../lang/cel/error.ts'
import { type CelType, opaque } from '../../../lang/cel/type.ts'
import { CelObject } from '../../../lang/cel/value/boxed.ts'
import { type MapValue, mapGet, mapKeys } from '../../../lang/cel/value/map.ts'
import { renderJson } from '../../../lang/cel/wire/render.ts'
import { type Json, setOwn } from '../../../lib/json.ts'
import { explain } from '../../../lib/result.ts'
import type { PolicyWorld } from '../../engine/compiled-policy.ts'
import { type FactNeed, Needs } from '../../engine/fact.ts'

/** The world of one evaluation, with a note of what was asked for in vain. */
export interface Asker {
  readonly world: PolicyWorld
  readonly needs: Needs
}

/** Begins an evaluation: nothing was asked yet. */
export const askerOf = (world: PolicyWorld): Asker => ({ world, needs: new Needs() })

/** A variable through which expressions ask for what is outside: `resource`, `http`, `globalContext`, `image`. */
export class Outside extends CelObject {
  readonly type: CelType
  readonly asker: Asker
  /** The certificates that an `http` client trusts instead of the usual ones. */
  readonly caBundle: string | undefined

  constructor(type: CelType, asker: Asker, caBundle?: string) {
    super()
    this.type = type
    this.asker = asker
    this.caBundle = caBundle
  }

  equals(other: unknown): boolean {
    return this === other
  }
}

export const resourceType: CelType = opaque('resource.Context')
export const httpType: CelType = opaque('http.Context')
export const globalContextType: CelType = opaque('globalcontext.Context')
export const imageDataType: CelType = opaque('imagedata.Context')

/** What is known about a need; the evaluation ends here when nothing is, or when the answer is a failure. */
export function valueOf({ asker }: Outside, need: FactNeed, failing: string): Json {
  const fact = asker.needs.lookUp(asker.world.facts, need)
  if (!fact) throw new EvaluationError(`${failing}: not known yet`)
  // Upstream shows data that is not shared as null.
  if (!fact.ok && fact.error[0]?.code === 'global-context-unknown') return null
  if (!fact.ok) throw new EvaluationError(`${failing}: ${fact.error.map(explain).join('; ')}`)
  return fact.value
}

/** A map of texts that an expression made, as plain data. */
export function textMap(map: MapValue): Readonly<Record<string, string>> {
  const texts: Record<string, string> = {}
  for (const key of [...mapKeys(map)].map(String).toSorted()) setOwn(texts, key, String(mapGet(map, key)))
  return texts
}

/** A value that an expression made, as plain data for the outside. */
export const plainData = (value: unknown): Json => renderJson(value)
