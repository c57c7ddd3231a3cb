import { isMap, isScalar, parseDocument } from 'yaml'

/** Changes one text value of `idp.yaml` where it stands, so that comments and layout stay; undefined when it is not written there. */
export function withSetting(text: string, path: readonly string[], value: string): string | undefined {
  let node: unknown = parseDocument(text, { uniqueKeys: false }).contents
  for (const key of path) {
    node = isMap(node) ? node.items.find((pair) => isScalar(pair.key) && pair.key.value === key)?.value : undefined
  }
  if (!isScalar(node) || !node.range) return undefined
  const [from, to] = node.range
  // A text in quotes says the same whatever is in it; plain where nobody could take it for something else.
  const written = /^[a-z][a-z0-9.-]*$/.test(value) && !/^(?:true|false|null|yes|no|on|off|y|n)$/.test(value)
  return `${text.slice(0, from)}${written ? value : JSON.stringify(value)}${text.slice(to)}`
}
