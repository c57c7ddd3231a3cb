import { Buffer } from 'node:buffer'
import { type Fields, fieldsOf, objectsOf, textMapOf, textOf } from '../../../lib/fields.ts'
import { formatFloat } from '../../../lib/go-float.ts'
import { stringOf } from '../../../lib/go-string.ts'
import type { Json } from '../../../lib/json.ts'
import { compileJsonPath } from '../../../lib/jsonpath.ts'
import { describeError } from '../../../lib/log.ts'
import { succeed } from '../../../lib/result.ts'
import type { ServiceResponse } from '../../../runtime/service-http.ts'
import type { SecretData } from '../data/decode.ts'
import { dataAsJson, dataOf, jsonText, readJson } from '../data/json-value.ts'
import { failed, type Fetched, missing, within } from '../data/trouble.ts'
import { durationMs, type RemoteRef } from '../spec/external-secret.ts'
import { isClusterStore, type SecretStore } from '../spec/secret-store.ts'
import { onObject } from './dependency.ts'
import type {
  Opening,
  Provider,
  ProviderPorts,
  PushedSecret,
  PushItem,
  SecretsClient,
  StoreProblems,
} from './provider.ts'
import { authorities } from './references.ts'

type Tree = ReadonlyMap<string, SecretData | string>

const TIMEOUT_MS = 30_000
const TYPE_LABEL = 'external-secrets.io/type'

/** What can be told of a webhook store from itself alone. */
export function checkWebhook(_store: SecretStore, fields: Fields): StoreProblems {
  const warnings = Object.hasOwn(fields, 'auth') ? ['the NTLM auth of the provider webhook is not supported'] : []
  return { errors: [], warnings }
}

/** Stores that are asked by HTTP requests made from templates. */
export function webhookProvider(ports: ProviderPorts): Provider {
  return {
    name: 'webhook',
    capabilities: 'ReadWrite',
    open: (opening) => Promise.resolve(succeed(webhookClient(ports, opening))),
  }
}

/** One exchange with a webhook, as stores and generators have it. */
export function webhookClient(ports: ProviderPorts, opening: Opening): SecretsClient {
  const { fields, signal } = opening
  const render = (text: string, tree: Tree): Fetched<string> => ports.templates.renderWith('webhook', text, tree)

  const ask = async (method: string, raw: Tree, body: string): Promise<Fetched<ServiceResponse>> => {
    if (Object.hasOwn(fields, 'auth')) return failed('the NTLM auth of webhooks is not supported')
    const ca = authorities(ports, opening, fields)
    if (!ca.ok) return ca
    const url = render(textOf(fields, 'url'), escaped(raw))
    if (!url.ok) return within('failed to parse url', url.error)
    const headers: Record<string, string> = {}
    for (const [name, template] of textMapOf(fields, 'headers')) {
      const value = render(template, raw)
      if (!value.ok) return within(`failed to parse header ${name}`, value.error)
      headers[name.toLowerCase()] = value.value
    }
    try {
      const answer = await ports.http({
        method,
        url: url.value,
        headers,
        ...(body === '' ? {} : { body }),
        ...(ca.value === undefined ? {} : { ca: ca.value }),
        timeoutMs: durationMs(textOf(fields, 'timeout'), TIMEOUT_MS),
        signal,
      })
      if (answer.status === 404) return missing()
      return answer.status >= 200 && answer.status < 300
        ? succeed(answer)
        : failed(`endpoint gave error ${answer.status}`)
    } catch (error) {
      signal.throwIfAborted()
      return failed(`failed to call endpoint: ${withoutValues(describeError(error), [url.value, ...valuesIn(raw)])}`)
    }
  }

  const treeOf = (ref: ReadonlyMap<string, string>): Fetched<Tree> => {
    const tree = new Map<string, SecretData>([['remoteRef', ref]])
    for (const item of objectsOf(fields, 'secrets') ?? []) {
      const secret = labelledSecret(ports, opening, fieldsOf(item, 'secretRef'))
      if (!secret.ok) return secret
      const name = textOf(item, 'name')
      tree.set(name, new Map([...(tree.get(name) ?? []), ...secret.value]))
    }
    return succeed(tree)
  }

  const fetch = async (ref: RemoteRef): Promise<Fetched<{ readonly text: string; readonly path: string }>> => {
    const tree = treeOf(
      new Map([
        ['key', ref.key],
        ['version', ref.version],
        ['property', ref.property],
        ['namespace', opening.namespace],
      ]),
    )
    if (!tree.ok) return tree
    const path = render(textOf(fieldsOf(fields, 'result'), 'jsonPath'), tree.value)
    if (!path.ok) return path
    const body = render(textOf(fields, 'body'), tree.value)
    if (!body.ok) return within('failed to parse body', body.error)
    const answer = await ask(textOf(fields, 'method') || 'GET', tree.value, body.value)
    return answer.ok ? succeed({ text: answer.value.body, path: path.value }) : answer
  }

  return {
    async get(ref) {
      const fetched = await fetch(ref)
      if (!fetched.ok) return fetched
      const { text, path } = fetched.value
      if (path === '') return succeed(text)
      const found = valueAt(text, path)
      return found.ok ? singleText(found.value) : found
    },
    async getMap(ref) {
      const fetched = await fetch(ref)
      if (!fetched.ok) return fetched
      const { text, path } = fetched.value
      const found = valueAt(text, path)
      if (!found.ok) return found
      const value = typeof found.value === 'string' ? (readJson(found.value) ?? null) : found.value
      const data = dataOf(value)
      return data.ok ? data : failed('failed to get response (wrong type): it is not a JSON object')
    },
    find: () => Promise.resolve(failed('the provider webhook cannot find secrets; name them with extract or data')),
    async push(item, secret) {
      const value = pushedText(item, secret)
      const ref = new Map([
        ['remoteKey', item.remoteKey],
        ...(item.secretKey === '' ? [] : [['secretKey', item.secretKey] as const]),
        [item.remoteKey, value],
      ])
      const tree = treeOf(ref)
      if (!tree.ok) return tree
      const body = render(
        textOf(fields, 'body') || `{{ index .remoteRef ${JSON.stringify(item.remoteKey)} }}`,
        tree.value,
      )
      if (!body.ok) return within('failed to parse body', body.error)
      const answer = await ask(textOf(fields, 'method') || 'POST', tree.value, body.value)
      return answer.ok ? succeed(undefined) : within('failed to push webhook data', answer.error)
    },
    async remove(item) {
      const tree = treeOf(new Map([['remoteKey', item.remoteKey]]))
      if (!tree.ok) return tree
      const answer = await ask('DELETE', tree.value, '')
      return answer.ok || answer.error.why === 'missing' ? succeed(undefined) : answer
    },
    async exists(item) {
      const answer = await fetch({ ...PLAIN, key: item.remoteKey })
      if (answer.ok) return succeed(true)
      return answer.error.why === 'missing' ? succeed(false) : answer
    },
    async validate() {
      const origin = /^https?:\/\/[^/{}?#\s]+/.exec(textOf(fields, 'url'))?.[0]
      // Where the host comes from a template, there is nobody to ask yet.
      if (origin === undefined) return succeed('ready')
      const ca = authorities(ports, opening, fields)
      if (!ca.ok) return ca
      try {
        const tls = ca.value === undefined ? {} : { ca: ca.value }
        await ports.http({ method: 'HEAD', url: `${origin}/`, headers: {}, ...tls, timeoutMs: TIMEOUT_MS / 2, signal })
        return succeed('ready')
      } catch (error) {
        signal.throwIfAborted()
        return failed(`error accessing external store: ${describeError(error)}`)
      }
    },
  }
}

const PLAIN = {
  property: '',
  version: '',
  metadataPolicy: '',
  conversionStrategy: '',
  decodingStrategy: '',
  nullBytePolicy: '',
}

/** The values of a Secret that says of itself that it is for webhooks. */
function labelledSecret(ports: ProviderPorts, opening: Opening, ref: Fields): Fetched<SecretData> {
  const { store } = opening
  const named = textOf(ref, 'namespace')
  const name = textOf(ref, 'name')
  const isForAll = isClusterStore(store)
  if (isForAll && named === '') return failed(`no namespace on ClusterScoped webhook secret ${name}`)
  const namespace = isForAll ? named : opening.namespace
  opening.track(onObject('Secret', namespace, name))
  const secret = ports.view.get('Secret', namespace, name)
  if (!secret) return failed(`failed to get webhook secret ${namespace}/${name}: not found`)
  if (secret.metadata.labels?.[TYPE_LABEL] !== 'webhook') {
    return failed(
      `the Secret ${namespace}/${name} does not have the label '${TYPE_LABEL}: webhook', which lets webhooks use it`,
    )
  }
  return succeed(
    new Map([...textMapOf(secret, 'data')].map(([key, value]) => [key, stringOf(Buffer.from(value, 'base64'))])),
  )
}

/** What is asked for, as it may stand in a URL; values of Secrets stand as they are. */
function escaped(tree: Tree): Tree {
  const ref = tree.get('remoteRef')
  if (ref === undefined || typeof ref === 'string') return tree
  const encode = (text: string): string => encodeURIComponent(text).replaceAll('%20', '+')
  return new Map([
    ...tree,
    ['remoteRef', new Map([...ref].map(([key, value]) => [key, key === 'namespace' ? value : encode(value)]))],
  ])
}

/** What a JSONPath finds in a text; all of it where there is no path. */
function valueAt(text: string, path: string): Fetched<Json> {
  const value = readJson(text)
  if (value === undefined) return failed('failed to parse response json')
  if (path === '') return succeed(value)
  const compiled = compileJsonPath(path)
  if (!compiled.ok) return failed(compiled.error[0]?.message ?? '')
  const found = compiled.value(value) as readonly Json[] // what is found in JSON is JSON
  const [first] = found
  const isSeveral = /\*|\.\.|\?\(|\[[^\]]*[:,]/.test(path)
  if (isSeveral) return succeed(found)
  return first === undefined ? failed(`failed to get response path ${path}: nothing is there`) : succeed(first)
}

/** One value as text; of several the first, as it always was. */
function singleText(value: Json): Fetched<string> {
  const one = Array.isArray(value) ? (value as readonly Json[])[0] : value
  if (one === undefined) return failed("filter worked but didn't get any result")
  if (Array.isArray(one)) return singleText(one)
  if (typeof one === 'string') return succeed(one)
  if (typeof one === 'number') return succeed(formatFloat(one, 'f', 0))
  if (one === null) return succeed('')
  return succeed(typeof one === 'boolean' ? String(one) : jsonText(one))
}

const pushedText = ({ secretKey }: PushItem, secret: PushedSecret): string =>
  secretKey === '' ? dataAsJson(secret.data) : (secret.data.get(secretKey) ?? '')

function valuesIn(tree: Tree): readonly string[] {
  return [...tree].flatMap(([name, value]) =>
    name === 'remoteRef' || typeof value === 'string' ? [] : [...value.values()],
  )
}

const withoutValues = (text: string, values: readonly string[]): string =>
  values.filter((value) => value.length > 0).reduce((left, value) => left.replaceAll(value, '(hidden)'), text)
