import { setOwn, isObject, own } from '../../lib/json.ts'
import type { VariableEntry } from './kustomization.ts'
import { fixNameReferences } from './name-references.ts'
import { refuse } from './refusal.ts'
import type { Manifest, Resource } from './resource.ts'
import { idText, sameId } from './resource-id.ts'
import { Resources } from './resources.ts'
import { emptyConfig, mergeConfig, type TransformerConfig } from './transformer-config.ts'
import { mergeVariables } from './variables.ts'

/** What one kustomization and all below it have come to. */
export class Accumulator {
  readonly resources: Resources = new Resources()
  config: TransformerConfig = emptyConfig
  readonly variables: Map<string, VariableEntry> = new Map()

  /** Takes in what a folder has come to. */
  merge(other: Accumulator): void {
    this.resources.appendAll(other.resources.list)
    this.config = mergeConfig(this.config, other.config)
    mergeVariables(this.variables, other.variables.values())
  }

  /** Adds generated resources, or merges them into those that are there, as each one says. */
  absorb(generated: readonly Resource[]): void {
    for (const resource of generated) this.#absorbOne(resource)
  }

  fixNames(): void {
    fixNameReferences(this.resources, this.config.nameReference)
  }

  #absorbOne(resource: Resource): void {
    const { id, behavior } = resource
    const found = this.resources.byAnyId((other) => sameId(id, other))
    const [old] = found
    if (!old) {
      if (behavior === 'merge' || behavior === 'replace') {
        refuse(`id ${idText(id)} does not exist; cannot merge or replace`)
      }
      this.resources.append(resource)
      return
    }
    if (found.length > 1) {
      refuse(
        `found multiple objects ${found.map((one) => idText(one.id)).join(', ')} that could accept merge of ${idText(id)}`,
      )
    }
    if (behavior !== 'merge' && behavior !== 'replace') {
      refuse(`id ${idText(id)} exists; can not use behavior: '${behavior}', behavior must be merge or replace`)
    }
    const { needsHash, origin } = resource
    const manifest = overOld(resource.manifest, old.manifest, behavior === 'merge')
    const hadHash = old.needsHash
    resource.recall(old)
    resource.behavior = old.behavior
    resource.needsHash = needsHash && hadHash
    resource.origin = behavior === 'merge' ? (old.origin ?? origin) : origin
    resource.manifest = manifest
    this.resources.list[this.resources.list.indexOf(old)] = resource
  }
}

const mapOf = (value: unknown): Manifest => (isObject(value) ? value : {})

function merged(below: unknown, above: unknown): Manifest | undefined {
  const result: Record<string, unknown> = {}
  for (const map of [mapOf(below), mapOf(above)]) {
    for (const key of Object.keys(map)) setOwn(result, key, own(map, key))
  }
  return Object.keys(result).length === 0 ? undefined : result
}

/** What is generated in the place of an older one: its name and marks, and its data when both are to be merged. */
function overOld(manifest: Manifest, old: Manifest, withData: boolean): Manifest {
  const oldMetadata = mapOf(own(old, 'metadata'))
  const metadata: Record<string, unknown> = { ...mapOf(own(manifest, 'metadata')) }
  for (const field of ['labels', 'annotations']) {
    const marks = merged(oldMetadata[field], metadata[field])
    if (marks) metadata[field] = marks
    else delete metadata[field]
  }
  metadata['name'] = oldMetadata['name']
  if (oldMetadata['namespace']) metadata['namespace'] = oldMetadata['namespace']
  else delete metadata['namespace']
  const result: Record<string, unknown> = { ...manifest, metadata }
  for (const field of withData ? ['data', 'binaryData'] : []) {
    const data = merged(own(old, field), own(manifest, field))
    if (data) result[field] = data
    else delete result[field]
  }
  return result
}
