import { isObject } from '../../../../lib/json.ts'
import { succeed } from '../../../../lib/result.ts'
import { parseYaml } from '../../../../lib/yaml.ts'
import { textOf } from '../../../fields.ts'
import { type Generator, refuse } from '../generator.ts'
import { type Params, paramsFrom } from '../params.ts'
import { notDecoded, notYaml } from '../renderer.ts'

/** The elements as they are written, and those of `elementsYaml`. */
export const list: Generator = (spec, { dialect }) => {
  const made: Params[] = []
  const elements = Array.isArray(spec['elements']) ? spec['elements'] : []
  for (const element of elements) {
    if (!isObject(element)) return refuse('error unmarshling list element: an element is an object')
    const params = dialect.goTemplate ? element : flatElement(element)
    if (typeof params === 'string') return refuse(params)
    made.push(params)
  }
  const more = textOf(spec, 'elementsYaml')
  if (more === '') return succeed(made)
  const read = parseYaml(more)
  if (!read.ok) return refuse(`error unmarshling decoded ElementsYaml ${notYaml(read.error[0]?.message ?? '')}`)
  if (read.value === null) return succeed(made)
  if (!Array.isArray(read.value)) {
    return refuse(`error unmarshling decoded ElementsYaml ${notDecoded(read.value, '[]map[string]interface {}')}`)
  }
  for (const item of read.value as readonly unknown[]) {
    if (item !== null && !isObject(item)) {
      return refuse(`error unmarshling decoded ElementsYaml ${notDecoded(item, 'map[string]interface {}')}`)
    }
    made.push(item ?? {})
  }
  return succeed(made)
}

/** Without Go templates every value is a text, and `values` is one level deep. */
function flatElement(element: Params): Params | string {
  const entries: (readonly [string, string])[] = []
  for (const [key, value] of Object.entries(element)) {
    if (key === 'values') {
      if (!isObject(value)) return 'error parsing values map'
      for (const [name, item] of Object.entries(value)) {
        if (typeof item !== 'string') return `error parsing value as string: values.${name} is none`
        entries.push([`values.${name}`, item])
      }
    } else if (typeof value === 'string') entries.push([key, value])
    else return `error parsing value as string: ${key} is none`
  }
  return paramsFrom(entries)
}
