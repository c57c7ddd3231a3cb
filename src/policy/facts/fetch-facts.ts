import { lookup } from 'node:dns/promises'
import type { Client, Collection } from '../../kube/client.ts'
import { parseApiVersion } from '../../kube/gvk.ts'
import { describeError, type Log } from '../../lib/log.ts'
import type { Json } from '../../lib/json.ts'
import { fail, type Result, succeed } from '../../lib/result.ts'
import { type FactNeed, type Facts, keyOfNeed } from '../engine/fact.ts'
import { matchesWildcard } from '../engine/wildcard.ts'
import { parseApiPath, servesKind } from './api-path.ts'
import type { ServedKinds } from '../../runtime/served-kinds.ts'

/** Sends one HTTP request for a policy. */
export type CallService = (call: {
  readonly method: 'GET' | 'POST'
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string
  readonly caBundle?: string
  /** The answer with its status, whatever that is; otherwise only a success is an answer. */
  readonly keepsStatus: boolean
  readonly signal: AbortSignal
}) => Promise<Result<Json>>

/** Where facts come from. */
export interface FactPorts {
  readonly client: Client
  readonly served: ServedKinds
  readonly callService: CallService
  /** The data of a GlobalContextEntry, or why there is none. */
  readonly globalContext: (name: string, projection: string | undefined) => Result<Json>
  readonly log: Log
}

const notServed = (apiVersion: string, kind: string): Result<Json> =>
  unknown(`the cluster does not serve ${kind} in ${apiVersion}`)

const unknown = (message: string): Result<Json> => fail({ code: 'policy-fact-unavailable', message })

/** A cluster's objects are JSON as they are. */
const asJson = (value: unknown): Json => value as Json

/** Finds out what evaluation asked for; an answer that cannot be had says why. */
export async function fetchFacts(
  needs: readonly FactNeed[],
  known: Facts,
  ports: FactPorts,
  signal: AbortSignal,
): Promise<Facts> {
  const found = await Promise.all(
    needs.map(async (need) => {
      try {
        return [keyOfNeed(need), await fetchFact(need, ports, signal)] as const
      } catch (error) {
        return [keyOfNeed(need), unknown(describeError(error))] as const
      }
    }),
  )
  return new Map([...known, ...found])
}

async function fetchFact(need: FactNeed, ports: FactPorts, signal: AbortSignal): Promise<Result<Json>> {
  switch (need.what) {
    case 'object':
      return fetchObject(need, ports, signal)
    case 'objects':
      return fetchObjects(need, ports, signal)
    case 'resource':
      return fetchResource(need, ports.client, signal)
    case 'resources':
      return fetchResources(need, ports.client, signal)
    case 'created':
      return create(need, ports.client, signal)
    case 'plural': {
      const info = await ports.served.find(need.apiVersion, need.kind)
      return info ? succeed(info.plural) : notServed(need.apiVersion, need.kind)
    }
    case 'api-call':
      return callApi(need, ports.client, signal)
    case 'service-call':
    case 'http':
      return ports.callService({
        keepsStatus: need.what === 'http',
        method: need.method,
        url: need.url,
        headers: { ...(need.body === undefined ? {} : { 'content-type': 'application/json' }), ...need.headers },
        ...(need.body === undefined ? {} : { body: JSON.stringify(need.body) }),
        ...(need.caBundle === undefined ? {} : { caBundle: need.caBundle }),
        signal,
      })
    case 'global-context':
      return ports.globalContext(need.name, need.projection)
    case 'host':
      return succeed((await lookup(need.name, { all: true })).map(({ address }) => address))
    case 'access':
      return askAccess(need, ports.client, signal)
    case 'image':
      return unknown(`images are not looked up in registries: ${need.reference}`)
  }
}

type Need<What extends FactNeed['what']> = Extract<FactNeed, { readonly what: What }>

async function fetchObject(need: Need<'object'>, ports: FactPorts, signal: AbortSignal): Promise<Result<Json>> {
  const { apiVersion, kind, namespace, name } = need
  const info = await ports.served.find(apiVersion, kind)
  if (!info) return notServed(apiVersion, kind)
  const isInside = info.namespaced && namespace !== undefined
  const answer = await ports.client.get({ resource: info, ...(isInside ? { namespace } : {}), name }, { signal })
  if (answer.ok) return succeed(asJson(answer.value))
  return answer.error.reason === 'NotFound' ? succeed(null) : unknown(answer.error.message)
}

async function fetchObjects(need: Need<'objects'>, ports: FactPorts, signal: AbortSignal): Promise<Result<Json>> {
  const { apiVersion, kind, namespace, selector } = need
  const wanted = { ...parseApiVersion(apiVersion), kind }
  const served = (await ports.served.all()).filter((info) => servesKind(info, wanted, matchesWildcard))
  const found =
    served.length > 0 ? served : [await ports.served.find(apiVersion, kind)].filter((one) => one !== undefined)
  if (found.length === 0) return notServed(apiVersion, kind)
  const items: Json[] = []
  for (const info of found) {
    const isInside = info.namespaced && namespace !== undefined && namespace !== ''
    const answer = await ports.client.list(
      { resource: info, ...(isInside ? { namespace } : {}) },
      { signal, ...(selector === undefined ? {} : { labelSelector: selector }) },
    )
    if (!answer.ok) return unknown(answer.error.message)
    items.push(...answer.value.items.map(asJson))
  }
  return succeed(items)
}

async function fetchResource(need: Need<'resource'>, client: Client, signal: AbortSignal): Promise<Result<Json>> {
  const answer = await client.get({ ...collectionOf(need), name: need.name }, { signal })
  if (answer.ok) return succeed(asJson(answer.value))
  return answer.error.reason === 'NotFound' ? succeed(null) : unknown(answer.error.message)
}

async function fetchResources(need: Need<'resources'>, client: Client, signal: AbortSignal): Promise<Result<Json>> {
  const selector = need.selector === undefined ? {} : { labelSelector: need.selector }
  const answer = await client.list(collectionOf(need), { ...selector, signal })
  return answer.ok ? succeed(asJson(answer.value)) : unknown(answer.error.message)
}

async function create(need: Need<'created'>, client: Client, signal: AbortSignal): Promise<Result<Json>> {
  const answer = await client.create(collectionOf(need), need.body, { signal })
  return answer.ok ? succeed(asJson(answer.value)) : unknown(answer.error.message)
}

function collectionOf(need: {
  readonly apiVersion: string
  readonly plural: string
  readonly namespace?: string
}): Collection {
  const { apiVersion, plural, namespace } = need
  const isInside = namespace !== undefined && namespace !== ''
  return { resource: { ...parseApiVersion(apiVersion), plural }, ...(isInside ? { namespace } : {}) }
}

async function callApi(need: Need<'api-call'>, client: Client, signal: AbortSignal): Promise<Result<Json>> {
  const parsed = parseApiPath(need.path)
  if (!parsed) return unknown(`${JSON.stringify(need.path)} is not the path of a resource`)
  const { collection, name, subresource, options } = parsed
  const deeper = subresource === undefined ? {} : { subresource }
  const answer =
    need.method === 'POST'
      ? await client.create({ ...collection, ...(name === undefined ? {} : { name }), ...deeper }, need.body ?? {}, {
          signal,
        })
      : name === undefined
        ? await client.list(collection, { ...options, signal })
        : await client.get({ ...collection, name, ...deeper }, { signal })
  if (answer.ok) return succeed(asJson(answer.value))
  return unknown(`failed to ${need.method} ${need.path}: ${answer.error.message}`)
}

const reviews = { resource: { group: 'authorization.k8s.io', version: 'v1', plural: 'subjectaccessreviews' } }

async function askAccess(need: Need<'access'>, client: Client, signal: AbortSignal): Promise<Result<Json>> {
  const review = {
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SubjectAccessReview',
    spec: { user: need.user, groups: need.groups, resourceAttributes: need.attributes },
  }
  const answer = await client.create(reviews, review, { signal })
  if (!answer.ok) return unknown(answer.error.message)
  const { allowed } = (answer.value['status'] ?? {}) as { readonly allowed?: boolean }
  return succeed(allowed === true)
}
