import type { Ids } from '../../lib/ids.ts'
import { isEqual } from '../../lib/json.ts'
import type { View } from './barrier.ts'
import { KeyedLock } from './keyed-lock.ts'
import {
  type Backend,
  dataReply,
  listReply,
  type MountRequest,
  nothing,
  type Outcome,
  unsupportedPath,
} from './logical.ts'
import type { TemplateEntity } from './policy/path-template.ts'

interface Alias {
  readonly id: string
  readonly accessor: string
  readonly name: string
  readonly metadata: Readonly<Record<string, string>>
}

/** Somebody, by what they are called at one mount. */
interface Entity {
  readonly id: string
  readonly name: string
  readonly metadata: Readonly<Record<string, string>>
  readonly aliases: readonly Alias[]
}

const nameOf = (accessor: string, name: string): string => JSON.stringify([accessor, name])

/** Who has logged in: one entity for each name at each mount, kept so that policies can speak of them. */
export class Identity implements Backend {
  readonly #view: View
  readonly #ids: Ids
  readonly #entities = new Map<string, Entity>()
  readonly #byAlias = new Map<string, string>()
  readonly #templates = new Map<string, TemplateEntity>()
  readonly #locks = new KeyedLock()

  constructor(view: View, ids: Ids) {
    this.#view = view
    this.#ids = ids
    for (const id of view.keysBelow('')) this.#keep(view.get(id) as Entity) // what this class wrote
  }

  /** The id of who is called so at a mount; made with the first login. */
  entityFor(accessor: string, name: string, metadata: Readonly<Record<string, string>>): Promise<string> {
    return this.#locks.run(nameOf(accessor, name), async () => {
      const id = this.#byAlias.get(nameOf(accessor, name))
      const known = id === undefined ? undefined : this.#entities.get(id)
      const alias = known?.aliases.find((one) => one.accessor === accessor)
      if (known && alias && isEqual(alias.metadata, metadata)) return known.id
      const uid = known?.id ?? this.#ids.uid()
      const entity: Entity = {
        id: uid,
        name: known?.name ?? `entity_${uid.slice(0, 8)}`,
        metadata: known?.metadata ?? {},
        aliases: [{ id: alias?.id ?? this.#ids.uid(), accessor, name, metadata }],
      }
      await this.#view.put(entity.id, entity)
      this.#keep(entity)
      return entity.id
    })
  }

  /** Somebody as policies see them. */
  template(id: string): TemplateEntity | undefined {
    return id === '' ? undefined : this.#templates.get(id)
  }

  handle({ operation, path }: MountRequest): Outcome {
    const id = /^entity\/id\/([^/]+)$/.exec(path)?.[1]
    const name = /^entity\/name\/([^/]+)$/.exec(path)?.[1]
    if (operation === 'list' && /^entity\/id\/?$/.test(path)) return listReply([...this.#entities.keys()])
    if (operation !== 'read' || (id === undefined && name === undefined)) return unsupportedPath()
    const entity =
      id === undefined ? [...this.#entities.values()].find((one) => one.name === name) : this.#entities.get(id)
    if (!entity) return nothing
    const aliases = entity.aliases.map(({ accessor, ...alias }) => ({
      ...alias,
      canonical_id: entity.id,
      mount_accessor: accessor,
    }))
    return dataReply({ ...entity, aliases, policies: [], disabled: false, group_ids: [] })
  }

  /** Forgets who was called something at a mount that is gone. */
  async forgetMount(accessor: string): Promise<void> {
    const gone = [...this.#entities.values()].filter(({ aliases }) => aliases.some((one) => one.accessor === accessor))
    for (const { id, aliases } of gone) {
      this.#entities.delete(id)
      this.#templates.delete(id)
      for (const alias of aliases) this.#byAlias.delete(nameOf(alias.accessor, alias.name))
    }
    await Promise.all(gone.map(({ id }) => this.#view.delete(id)))
  }

  #keep(entity: Entity): void {
    this.#entities.set(entity.id, entity)
    for (const { accessor, name } of entity.aliases) this.#byAlias.set(nameOf(accessor, name), entity.id)
    this.#templates.set(entity.id, {
      id: entity.id,
      name: entity.name,
      metadata: new Map(Object.entries(entity.metadata)),
      aliases: new Map(
        entity.aliases.map(({ accessor, id, name, metadata }) => [
          accessor,
          { id, name, metadata: new Map(Object.entries(metadata)) },
        ]),
      ),
    })
  }
}
