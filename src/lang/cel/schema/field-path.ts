import type { Schema } from '../../../kube/schema/schema.ts'

const PART = /\.([^.[\]]+)|\['((?:[^'\\]|\\.)*)'\]/y

const ESCAPES: Readonly<Record<string, string>> = {
  a: '\u0007',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
}

const unescape = (text: string): string => text.replaceAll(/\\(.)/gs, (_, letter: string) => ESCAPES[letter] ?? letter)

/** The parts of a rule's fieldPath, or undefined when it is malformed or names nothing in the schema. */
export function readFieldPath(text: string, schema: Schema): readonly string[] | undefined {
  const parts: string[] = []
  let node: Schema | undefined = schema
  for (let at = 0; at < text.length; at = PART.lastIndex) {
    PART.lastIndex = at
    const found = PART.exec(text)
    if (!found || !node) return undefined
    const name: string = found[1] ?? unescape(found[2] ?? '')
    const values: Schema | boolean | undefined = node.additionalProperties
    node = node.properties ? node.properties.get(name) : typeof values === 'object' ? values : undefined
    if (!node) return undefined
    parts.push(name)
  }
  return parts.length > 0 ? parts : undefined
}
