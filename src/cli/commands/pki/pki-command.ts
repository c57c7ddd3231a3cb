import type { Client } from '../../../kube/client.ts'
import type { ResourceId } from '../../../kube/gvk.ts'
import type { KubeObject } from '../../../kube/object.ts'
import type { CommandFlags } from '../../cluster-command.ts'

/** What every `idp pki` command can be told. */
export interface PkiFlags extends CommandFlags {
  readonly namespace?: string
}

/** Every object of a kind, in a namespace or in all; says why it cannot be had. */
export async function listAll(
  client: Client,
  resource: ResourceId,
  namespace?: string,
): Promise<{ readonly items: readonly KubeObject[]; readonly problem?: string }> {
  const items: KubeObject[] = []
  let token: string | undefined
  do {
    const page = await client.list(
      { resource, ...(namespace === undefined ? {} : { namespace }) },
      { limit: 500, ...(token === undefined ? {} : { continue: token }) },
    )
    if (!page.ok) {
      const hint = page.error.reason === 'NotFound' ? ' (is the capability "certificates" running?)' : ''
      return { items, problem: `cannot list ${resource.plural}: ${page.error.message}${hint}` }
    }
    // Items of a list may leave out what they are.
    items.push(...page.value.items)
    token = page.value.metadata.continue
  } while (token)
  return { items }
}
