import { keyText } from '../../../gitops/compare/comparison.ts'
import type { ResourceNode, ResourceTree } from '../../../gitops/tree/tree.ts'

const DEEPEST = 20

/** A tree as lines, each object below its owner. */
export function treeText({ nodes, orphaned }: ResourceTree): string {
  const children = new Map<string, ResourceNode[]>()
  for (const node of [...nodes, ...orphaned]) {
    for (const parent of node.parents) {
      const known = children.get(keyText(parent)) ?? []
      children.set(keyText(parent), known)
      known.push(node)
    }
  }
  const lines: string[] = []
  const write = (node: ResourceNode, prefix: string, depth: number): void => {
    const below = depth < DEEPEST ? (children.get(keyText(node.key)) ?? []) : []
    below.forEach((child, at) => {
      const isLast = at === below.length - 1
      lines.push(`${prefix}${isLast ? '└─ ' : '├─ '}${nodeText(child)}`)
      write(child, `${prefix}${isLast ? '   ' : '│  '}`, depth + 1)
    })
  }
  for (const root of nodes.filter(({ parents }) => parents.length === 0)) {
    lines.push(nodeText(root))
    write(root, '', 0)
  }
  const lost = orphaned.filter(({ parents }) => parents.length === 0)
  if (lost.length > 0) lines.push('', 'in its namespace, and in nobody’s Git:', ...lost.map(nodeText))
  return lines.length > 0 ? `${lines.join('\n')}\n` : 'no objects\n'
}

function nodeText({ key, health, info }: ResourceNode): string {
  const { group, kind, namespace, name } = key
  const what = `${group === '' ? kind : `${kind}.${group}`} ${namespace === '' ? '' : `${namespace}/`}${name}`
  const how = health ? `  ${health.status}${health.message ? `: ${health.message}` : ''}` : ''
  const more = info.map((item) => `${item.name}: ${item.value}`).join(', ')
  return `${what}${how}${more === '' ? '' : `  (${more})`}`
}
