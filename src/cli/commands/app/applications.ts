import type { Client, Target } from '../../../kube/client.ts'
import type { KubeObject } from '../../../kube/object.ts'
import type { Json } from '../../../lib/json.ts'
import { fail, type Result, succeed } from '../../../lib/result.ts'
import { type Application, ApplicationKind } from '../../../gitops/application/application.ts'
import { USUAL_NAMESPACE } from '../../../gitops/application/applications.ts'

/** An Application by the words of a command: `NAME`, or `NAMESPACE/NAME`. */
export function targetOf(words: string, namespace: string = USUAL_NAMESPACE): Target {
  const slash = words.indexOf('/')
  if (slash < 0) return { resource: ApplicationKind, namespace, name: words }
  return { resource: ApplicationKind, namespace: words.slice(0, slash), name: words.slice(slash + 1) }
}

/** Reads one Application; a name that is not there is told with what there is. */
export async function getApplication(client: Client, target: Target): Promise<Result<Application>> {
  const found = await client.get(target)
  if (found.ok) return succeed(asApplication(found.value))
  const where = `${target.namespace ?? ''}/${target.name}`
  if (found.error.reason !== 'NotFound') return failed(`cannot read the Application ${where}: ${found.error.message}`)
  const all = await client.list({ resource: ApplicationKind, namespace: target.namespace ?? '' })
  const names = all.ok ? all.value.items.map(({ metadata }) => metadata.name ?? '').toSorted() : []
  const some = names.length > 10 ? `${names.slice(0, 10).join(', ')}, and ${names.length - 10} more` : names.join(', ')
  return fail({
    code: 'application-missing',
    message: `there is no Application ${where}`,
    cure: names.length > 0 ? `there are ${some}` : 'there are none in that namespace; -n names another',
  })
}

/** Every Application of a namespace, or of all. */
export async function listApplications(
  client: Client,
  namespace: string | undefined,
): Promise<Result<readonly Application[]>> {
  const found = await client.list({ resource: ApplicationKind, ...(namespace === undefined ? {} : { namespace }) })
  if (!found.ok) return failed(`cannot list Applications: ${found.error.message}`)
  return succeed(found.value.items.map(asApplication))
}

/** Changes an Application by a merge patch. */
export async function patchApplication(client: Client, target: Target, body: Json): Promise<Result<Application>> {
  const answer = await client.patch(target, { type: 'merge', body }, { fieldManager: 'idp' })
  return answer.ok
    ? succeed(asApplication(answer.value))
    : failed(`cannot change the Application ${target.name}: ${answer.error.message}`)
}

/** Follows an Application until the signal is aborted; begins with how it is. */
export async function* follow(
  client: Client,
  target: Target,
  signal: AbortSignal,
): AsyncGenerator<Application | undefined> {
  while (!signal.aborted) {
    const found = await client.get(target, { signal })
    if (!found.ok && found.error.reason !== 'NotFound') throw new Error(found.error.message)
    yield found.ok ? asApplication(found.value) : undefined
    if (!found.ok) return
    const { resourceVersion = '' } = found.value.metadata
    const collection = { resource: target.resource, namespace: target.namespace ?? '' }
    const fieldSelector = `metadata.name=${target.name}`
    for await (const event of client.watch(collection, { fieldSelector, resourceVersion, signal })) {
      if (event.type === 'ERROR') break
      if (event.type === 'BOOKMARK') continue
      yield event.type === 'DELETED' ? undefined : asApplication(event.object)
    }
  }
}

const asApplication = (object: KubeObject): Application => object as Application // the API serves what its schema allows

const failed = (message: string): Result<never> => fail({ code: 'application-unreachable', message })
