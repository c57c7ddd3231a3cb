import { apiVersionOf, type Kind } from '../../kube/gvk.ts'
import type { KubeObject } from '../../kube/object.ts'
import { controllerReference, isControlledBy } from '../../kube/owner.ts'
import type { Status } from '../../kube/status.ts'
import { type TurnContext } from '../../runtime/controller.ts'
import { ControllerRevision } from './kinds.ts'
import type { WorkloadPorts } from './ports.ts'
import { hashOf, type PodTemplate } from './template.ts'
import { targetOf } from './write.ts'

/** The label by which Pods say which template they were made from. */
export const REVISION_LABEL = 'controller-revision-hash'

/** The templates that an owner has had: the present one, and which writes remember it. */
export interface Revisions {
  readonly hash: string
  readonly name: string
  /** Every revision that is kept, the oldest first. */
  readonly kept: readonly KubeObject[]
  readonly templateOf: (name: string) => PodTemplate | undefined
}

const numberOf = (revision: KubeObject): number => Number(revision['revision'] ?? 0)

/** Reads the revisions of an owner from the cache. */
export function observeRevisions(owner: KubeObject, template: PodTemplate, { caches }: WorkloadPorts): Revisions {
  const hash = hashOf(template)
  const kept = caches.revisions.cache
    .by('controller', owner.metadata.uid ?? '')
    .filter((revision) => isControlledBy(revision, owner))
    .toSorted((a, b) => numberOf(a) - numberOf(b))
  return {
    hash,
    name: `${owner.metadata.name ?? ''}-${hash}`,
    kept,
    templateOf(name) {
      const found = kept.find(({ metadata }) => metadata.name === name)
      const { spec } = (found?.['data'] ?? {}) as { readonly spec?: { readonly template?: PodTemplate } }
      return spec?.template
    },
  }
}

/** Remembers the present template as the newest revision, and forgets those that nobody needs. */
export async function keepRevisions(
  {
    owner,
    kind,
    template,
    inUse,
    limit,
  }: {
    readonly owner: KubeObject
    readonly kind: Kind
    readonly template: PodTemplate
    readonly inUse: ReadonlySet<string>
    readonly limit: number
  },
  { name, hash, kept }: Revisions,
  { client, caches }: WorkloadPorts,
  { signal }: TurnContext,
): Promise<Status | undefined> {
  const newest = kept.at(-1)
  if (newest?.metadata.name !== name) {
    const revision = (newest ? numberOf(newest) : 0) + 1
    const known = kept.find(({ metadata }) => metadata.name === name)
    const answer = known
      ? await client.patch(targetOf(ControllerRevision, known), { type: 'merge', body: { revision } })
      : await client.create(
          { resource: ControllerRevision, namespace: owner.metadata.namespace ?? '' },
          {
            apiVersion: apiVersionOf(ControllerRevision),
            kind: ControllerRevision.kind,
            metadata: {
              name,
              namespace: owner.metadata.namespace ?? '',
              labels: { ...template.metadata?.labels, [REVISION_LABEL]: hash },
              ownerReferences: [controllerReference(owner, kind)],
            },
            data: { spec: { template: { ...template, $patch: 'replace' } } },
            revision,
          },
        )
    if (!answer.ok) return answer.error
    await caches.revisions.caughtUp(answer.value, signal)
  }
  const old = kept.filter(({ metadata }) => metadata.name !== name && !inUse.has(metadata.name ?? ''))
  for (const revision of old.slice(0, Math.max(0, old.length - limit))) {
    const gone = await client.delete(targetOf(ControllerRevision, revision))
    if (!gone.ok && gone.error.reason !== 'NotFound') return gone.error
  }
  return undefined
}

/** A template without the mark that tells a patch to replace it. */
export function plainTemplate(template: PodTemplate): PodTemplate {
  const { $patch: _mark, ...plain } = template as PodTemplate & { readonly $patch?: string }
  return plain
}
