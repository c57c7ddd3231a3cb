/** The prefix under which all objects of a kind are kept. Custom groups have a dot, so `core` cannot be one. */
export function prefixOf(group: string, plural: string): string {
  return `${group === '' ? 'core' : group}/${plural}/`
}

/** The key of one object; cluster-scoped objects have no namespace part. */
export function keyOf(prefix: string, namespace: string | undefined, name: string): string {
  return namespace === undefined || namespace === '' ? prefix + name : `${prefix}${namespace}/${name}`
}

/** The prefix of a collection, in one namespace or in all. */
export function collectionPrefix(prefix: string, namespace: string | undefined): string {
  return namespace === undefined || namespace === '' ? prefix : `${prefix}${namespace}/`
}
