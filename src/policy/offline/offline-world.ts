import { isObject, type Json } from '../../lib/json.ts'
import { fail, type Result, succeed } from '../../lib/result.ts'
import { matchesLabels, parseLabelSelector } from '../../kube/selector.ts'
import { parseApiVersion } from '../../kube/gvk.ts'
import type { KubeObject } from '../../kube/object.ts'
import { parseApiPath } from '../facts/api-path.ts'
import { type FactNeed, type Facts, keyOfNeed } from '../engine/fact.ts'
import { matchesWildcard } from '../engine/wildcard.ts'

/** An answer to a call that a test gives beforehand. */
export interface MockedCall {
  /** Undefined for every method. */
  readonly method?: string
  readonly url: string
  readonly status: number
  readonly body: Json
}

/** What a registry would say of an image. */
export interface MockedImage {
  readonly image: string
  readonly data: Json
}

/** What there is in an offline run instead of a cluster. */
export interface OfflineContents {
  readonly objects: readonly KubeObject[]
  readonly calls: readonly MockedCall[]
  readonly globals: ReadonlyMap<string, Json>
  readonly images: readonly MockedImage[]
  /** The plural of a kind, as good as it is known. */
  readonly pluralOf: (object: { readonly apiVersion: string; readonly kind: string }) => string
}

/** Answers needs from what a run was given; nothing is read from anywhere. */
export class OfflineWorld {
  private readonly contents: OfflineContents
  private known = new Map<string, Result<Json>>()

  constructor(contents: OfflineContents) {
    this.contents = contents
  }

  /** Everything that was asked for so far, with the answers to new needs. */
  answer(needs: readonly FactNeed[]): Facts {
    const known = new Map(this.known)
    for (const need of needs) known.set(keyOfNeed(need), this.find(need))
    return (this.known = known)
  }

  get facts(): Facts {
    return this.known
  }

  private find(need: FactNeed): Result<Json> {
    switch (need.what) {
      case 'object':
        return succeed((this.all(need).find(({ metadata }) => metadata.name === need.name) ?? null) as Json)
      case 'objects':
        return this.select(this.all(need), need.selector)
      case 'resource': {
        const found = this.collection(need).find(({ metadata }) => metadata.name === need.name)
        return succeed((found ?? null) as Json)
      }
      case 'resources': {
        const selected = this.select(this.collection(need), need.selector)
        return selected.ok ? succeed({ apiVersion: need.apiVersion, kind: 'List', items: selected.value }) : selected
      }
      case 'created':
        return succeed(need.body)
      case 'plural':
        return succeed(this.contents.pluralOf({ apiVersion: need.apiVersion, kind: need.kind }))
      case 'api-call':
        return this.mocked(need.method, need.path) ?? this.call(need.path)
      case 'service-call':
      case 'http':
        return this.answered(need)
      case 'global-context':
        return this.global(need.name, need.projection)
      case 'image': {
        const found = this.contents.images.find(({ image }) => image === need.reference)
        return found ? succeed(found.data) : absent(`the registry data of ${need.reference} is not known offline`)
      }
      case 'host':
        return absent(`the host ${need.name} is not looked up offline`)
      case 'access':
        return succeed(false)
    }
  }

  private all({
    apiVersion,
    kind,
    namespace,
  }: Pick<
    Extract<FactNeed, { what: 'object' | 'objects' }>,
    'apiVersion' | 'kind' | 'namespace'
  >): readonly KubeObject[] {
    return this.contents.objects.filter(
      (object) =>
        matchesWildcard(kind, object.kind) &&
        (apiVersion === '*' || apiVersion === '' || matchesWildcard(apiVersion, object.apiVersion)) &&
        (namespace === undefined ||
          (object.metadata.namespace ?? '') === namespace ||
          object.metadata.namespace === undefined),
    )
  }

  private collection({
    apiVersion,
    plural,
    namespace,
  }: {
    readonly apiVersion: string
    readonly plural: string
    readonly namespace?: string
  }): readonly KubeObject[] {
    return this.contents.objects.filter(
      (object) =>
        object.apiVersion === apiVersion &&
        this.contents.pluralOf(object) === plural &&
        (namespace === undefined ||
          namespace === '' ||
          object.metadata.namespace === namespace ||
          object.metadata.namespace === undefined),
    )
  }

  private select(objects: readonly KubeObject[], selector: string | undefined): Result<Json> {
    if (selector === undefined) return succeed(objects as unknown as Json)
    const parsed = parseLabelSelector(selector)
    if (!parsed.ok) return parsed
    return succeed(objects.filter(({ metadata }) => matchesLabels(parsed.value, metadata.labels)) as unknown as Json)
  }

  private callTo(method: string, url: string): MockedCall | undefined {
    const { calls } = this.contents
    return (
      calls.find((call) => call.method === method && call.url === url) ??
      calls.find((call) => call.method === undefined && call.url === url)
    )
  }

  /** Upstream's command line shows the answers of a test to CEL with their body apart, other than those of a server. */
  private answered({ what, method, url }: Extract<FactNeed, { what: 'service-call' | 'http' }>): Result<Json> {
    const found = this.callTo(method, url)
    if (what === 'http' && found) return succeed({ body: found.body, statusCode: found.status })
    return this.mocked(method, url) ?? absent(`${method} ${url} is not answered offline`)
  }

  private mocked(method: string, url: string): Result<Json> | undefined {
    const found = this.callTo(method, url)
    if (!found) return undefined
    return found.status >= 200 && found.status < 300 ? succeed(found.body) : absent(`HTTP ${found.status}`)
  }

  private call(path: string): Result<Json> {
    const parsed = parseApiPath(path)
    if (!parsed) return absent(`${path} is not a path of objects`)
    const { group, version, plural } = parsed.collection.resource
    const found = this.contents.objects.filter((object) => {
      const id = parseApiVersion(object.apiVersion)
      const { namespace } = parsed.collection
      if (id.group !== group || id.version !== version || this.contents.pluralOf(object) !== plural) return false
      return namespace === undefined || namespace === '' || object.metadata.namespace === namespace
    })
    if (parsed.name !== undefined) {
      const one = found.find(({ metadata }) => metadata.name === parsed.name)
      return one ? succeed(one as unknown as Json) : absent(`${path}: not found`)
    }
    const selected = this.select(found, parsed.options.labelSelector)
    const apiVersion = group === '' ? version : `${group}/${version}`
    const kind = `${found[0]?.kind ?? ''}List`
    return selected.ok ? succeed({ apiVersion, kind, metadata: {}, items: selected.value }) : selected
  }

  private global(name: string, projection: string | undefined): Result<Json> {
    const data = this.contents.globals.get(name)
    if (data === undefined) return absent(`there is no global context entry ${name}`)
    if (projection === undefined) return succeed(data)
    return isObject(data) && Object.hasOwn(data, projection)
      ? succeed((data as Readonly<Record<string, Json>>)[projection] ?? null)
      : absent(`the global context entry ${name} has no projection ${projection}`)
  }
}

const absent = (message: string): Result<never> => fail({ code: 'fact-unavailable', message })
