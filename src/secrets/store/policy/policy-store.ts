import { fail, type Result, succeed } from '../../../lib/result.ts'
import type { View } from '../barrier.ts'
import { type Acl, compileAcl, rootAcl } from './acl.ts'
import { type PolicyDocument, parsePolicy } from './policy-document.ts'
import type { TemplateEntity } from './path-template.ts'

interface KnownPolicy {
  readonly text: string
  readonly document: PolicyDocument
}

/** What every token may do that did not ask for less. */
const DEFAULT = `# Every token may look after itself.
path "auth/token/lookup-self" { capabilities = ["read"] }
path "auth/token/renew-self" { capabilities = ["update"] }
path "auth/token/revoke-self" { capabilities = ["update"] }

# Ask what it may do, and who it is.
path "sys/capabilities-self" { capabilities = ["update"] }
path "identity/entity/id/{{identity.entity.id}}" { capabilities = ["read"] }
path "identity/entity/name/{{identity.entity.name}}" { capabilities = ["read"] }
path "sys/internal/ui/resultant-acl" { capabilities = ["read"] }

# Renew and look up leases that it was given.
path "sys/renew" { capabilities = ["update"] }
path "sys/leases/renew" { capabilities = ["update"] }
path "sys/leases/lookup" { capabilities = ["update"] }

# Keep things for itself.
path "cubbyhole/*" { capabilities = ["create", "read", "update", "delete", "list"] }

# Wrap answers, and open what was wrapped for it.
path "sys/wrapping/wrap" { capabilities = ["update"] }
path "sys/wrapping/lookup" { capabilities = ["update"] }
path "sys/wrapping/unwrap" { capabilities = ["update"] }
`

const WRAPPING = `path "cubbyhole/response" { capabilities = ["create", "read"] }
path "sys/wrapping/unwrap" { capabilities = ["update"] }
`

/** Policies that are not written by anybody, and are not listed. */
const BUILT_IN: ReadonlyMap<string, string> = new Map([['response-wrapping', WRAPPING]])

const MOST_ACLS = 2_000

/** The policies there are, read once; what they allow together is worked out once for each combination. */
export class PolicyStore {
  readonly #view: View
  readonly #known = new Map<string, KnownPolicy>()
  #acls = new Map<string, Acl>()

  private constructor(view: View) {
    this.#view = view
  }

  static async open(view: View): Promise<PolicyStore> {
    const store = new PolicyStore(view)
    for (const name of view.keysBelow('')) store.#keep(name, String(view.get(name)))
    for (const [name, text] of BUILT_IN) store.#keep(name, text)
    if (!store.#known.has('default')) {
      await view.put('default', DEFAULT)
      store.#keep('default', DEFAULT)
    }
    return store
  }

  names(): readonly string[] {
    const names = [...this.#known.keys()].filter((name) => !BUILT_IN.has(name))
    return [...names.toSorted((a, b) => (a < b ? -1 : 1)), 'root']
  }

  has(name: string): boolean {
    return name === 'root' || this.#known.has(name)
  }

  /** The text of a policy; that of `root` is empty. */
  text(name: string): string | undefined {
    return name === 'root' ? '' : this.#known.get(name)?.text
  }

  async put(name: string, text: string): Promise<Result<void>> {
    if (name === 'root' || BUILT_IN.has(name)) return fixed(`cannot update "${name}" policy`)
    const document = parsePolicy(text)
    if (!document.ok) return document
    await this.#view.put(name, text)
    this.#keep(name, text)
    return succeed(undefined)
  }

  async delete(name: string): Promise<Result<void>> {
    if (name === 'root' || name === 'default' || BUILT_IN.has(name)) return fixed(`cannot delete "${name}" policy`)
    await this.#view.delete(name)
    this.#known.delete(name)
    this.#acls = new Map()
    return succeed(undefined)
  }

  /** What some policies allow somebody. Policies that are not there allow nothing. */
  acl(names: readonly string[], entity: TemplateEntity | undefined): Acl {
    if (names.includes('root')) return rootAcl
    const documents = names.flatMap((name) => this.#known.get(name)?.document ?? [])
    const isTemplated = documents.some((one) => one.isTemplated)
    const key = JSON.stringify([names, isTemplated ? entity && describe(entity) : ''])
    const known = this.#acls.get(key)
    if (known) return known
    const acl = compileAcl(documents, entity)
    if (this.#acls.size >= MOST_ACLS) this.#acls = new Map()
    this.#acls.set(key, acl)
    return acl
  }

  #keep(name: string, text: string): void {
    const document = parsePolicy(text)
    if (!document.ok) throw new Error(`the policy ${JSON.stringify(name)} that was kept can no longer be read`)
    this.#known.set(name, { text, document: document.value })
    this.#acls = new Map()
  }
}

const fixed = (message: string): ReturnType<typeof fail> => fail({ code: 'secret-policy-fixed', message })

const describe = ({ id, name, metadata, aliases }: TemplateEntity): unknown => [
  id,
  name,
  [...metadata],
  [...aliases].map(([accessor, alias]) => [accessor, alias.id, alias.name, [...alias.metadata]]),
]
