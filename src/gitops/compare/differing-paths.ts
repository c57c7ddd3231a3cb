import { isEqual, isObject, own } from '../../lib/json.ts'

const MOST = 50

/** The places where two values differ, such as `spec.replicas` or `spec.containers[0].image`, in order; at most fifty. */
export function differingPaths(before: unknown, after: unknown): readonly string[] {
  const found: string[] = []
  walk(before, after, '', found)
  return found
}

function walk(before: unknown, after: unknown, path: string, found: string[]): void {
  if (found.length >= MOST || isEqual(before, after)) return
  if (isObject(before) && isObject(after)) {
    const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].toSorted()
    for (const name of names) walk(own(before, name), own(after, name), fieldPath(path, name), found)
    return
  }
  if (Array.isArray(before) && Array.isArray(after) && before.length === after.length) {
    for (let index = 0; index < before.length; index++) walk(before[index], after[index], `${path}[${index}]`, found)
    return
  }
  found.push(path)
}

const fieldPath = (path: string, name: string): string => {
  if (!/^[A-Za-z_][\w-]*$/.test(name)) return `${path}[${JSON.stringify(name)}]`
  return path === '' ? name : `${path}.${name}`
}
