import { createHash } from 'node:crypto'
import { isObject, own } from '../../lib/json.ts'
import { goJson } from '../../lib/go-json.ts'
import type { Manifest } from './resource.ts'

const recoded: Readonly<Record<string, string>> = { '0': 'g', '1': 'h', '3': 'k', a: 'm', e: 't' }

const fieldOf = (manifest: Manifest, name: string): unknown => {
  const value = own(manifest, name)
  // A missing field counts as an empty text, as upstream has it.
  return value === undefined || value === null ? '' : value
}

/** The name of a config map or secret is left out: upstream looks it up by a path that finds nothing. */
function hashedPart(manifest: Manifest): unknown {
  const kind = own(manifest, 'kind')
  const extra = kind === 'Secret' ? 'stringData' : 'binaryData'
  const more = own(manifest, extra)
  if (kind === 'ConfigMap' || kind === 'Secret') {
    return {
      kind,
      name: '',
      data: fieldOf(manifest, 'data'),
      ...(kind === 'Secret' ? { type: fieldOf(manifest, 'type') } : {}),
      ...(isObject(more) ? { [extra]: more } : {}),
    }
  }
  return manifest
}

/** The ten characters that kustomize puts behind the name of generated data. */
export function contentHash(manifest: Manifest): string {
  const hex = createHash('sha256')
    .update(goJson(hashedPart(manifest)))
    .digest('hex')
  return hex.slice(0, 10).replace(/[013ae]/g, (digit) => recoded[digit] ?? digit)
}
