import type { UserInfo } from '../../kube/admission.ts'
import { type ApiResult, failure, type Status } from '../../kube/status.ts'
import { describeError } from '../../lib/log.ts'
import { succeed } from '../../lib/result.ts'
import { type Credentials, type Impersonation, impersonate } from '../auth/authenticate.ts'
import type { PathAttributes } from '../auth/attributes.ts'
import { forbidden } from '../auth/permission.ts'
import { methodNotAllowed, pathNotFound } from '../refusals.ts'
import type { ApiRequest, ApiResponse, RequestOptions, Verb } from '../request.ts'
import type { RequestMetrics } from '../metrics.ts'
import type { ServedResource } from '../resources/resource.ts'
import type { ApiServer } from '../server.ts'
import { type Reply, send, sendObject, sendStatus } from './answer.ts'
import { ByteCache, LineCache } from './bytes.ts'
import { timeoutOf, withinTime } from './deadline.ts'
import type { Exchange } from './exchange.ts'
import { headersOf } from './answer.ts'
import { listBytes, SENT_AT_ONCE, streamList } from './list-stream.ts'
import { discoveryShapes, negotiate, objectShapes } from './negotiate.ts'
import type { Pages } from './pages.ts'
import { type ParsedPath, parsePath } from './path.ts'
import { optionsOf, parseQuery } from './query.ts'
import { bodyOf, parseBody, parseDeleteOptions, parsePatch } from './request-body.ts'
import { reshaped, type TableWish, tableWish } from './reshape.ts'
import { streamWatch } from './watch-stream.ts'
import { sendConnection } from './connection.ts'

/** What the HTTP side of the server needs. */
export interface FrontParts {
  readonly server: ApiServer
  /** Finds out who asks. */
  readonly authenticate: (credentials: Credentials) => ApiResult<UserInfo>
  readonly pages: Pages
  readonly metrics: RequestMetrics
  /** Aborted when the server drains: open watches end. */
  readonly draining: AbortSignal
}

/** Answers exchanges. */
export interface Front {
  serve(exchange: Exchange): Promise<void>
}

/** Turns HTTP into requests of the API and answers back into HTTP. */
export function makeFront(parts: FrontParts): Front {
  const { server } = parts
  const cache = new ByteCache()
  const lines = new LineCache(cache)
  const context: Context = { ...parts, cache, lines }
  return {
    async serve(exchange) {
      const reply: Reply = { exchange, agreed: { format: 'json' }, auditId: server.kernel.ids.uid() }
      try {
        await serveOne(context, exchange, reply)
      } catch (error) {
        if (exchange.signal.aborted) return
        server.kernel.log.error('a request failed', error, { target: exchange.target, method: exchange.method })
        await sendStatus(reply, failure('InternalError', `Internal error occurred: ${describeError(error)}`))
      }
    },
  }
}

interface Context extends FrontParts {
  readonly cache: ByteCache
  readonly lines: LineCache
}

async function serveOne(context: Context, exchange: Exchange, reply: Reply): Promise<void> {
  const mark = exchange.target.indexOf('?')
  const pathText = mark < 0 ? exchange.target : exchange.target.slice(0, mark)
  const query = parseQuery(mark < 0 ? '' : exchange.target.slice(mark + 1))
  const path = parsePath(pathText)
  if (path.is === 'malformed') return sendStatus(reply, failure('BadRequest', 'the path has malformed escapes'))
  const sender = senderOf(context, exchange)
  if (!sender.ok) return sendStatus(reply, sender.error)
  if (path.is === 'page') return servePage(context, reply, { path: path.path, query, ...sender.value })
  return serveResource(context, reply, { path, query, ...sender.value })
}

type Sender = Pick<Asked<never>, 'user' | 'impersonatedBy'>

function senderOf({ authenticate, server }: Context, exchange: Exchange): ApiResult<Sender> {
  const header = exchange.header('authorization')
  // Any other scheme is a token that nobody knows.
  const bearer = header === undefined ? undefined : /^bearer /i.test(header) ? header.slice(7).trim() : header
  const { certificate } = exchange
  const user = authenticate({
    ...(bearer === undefined ? {} : { bearer }),
    ...(certificate ? { certificate } : {}),
  })
  if (!user.ok) return user
  const wanted = impersonationOf(exchange)
  if (!wanted) return succeed({ user: user.value })
  const other = impersonate(user.value, wanted, server.authorize)
  return other.ok ? succeed({ user: other.value, impersonatedBy: user.value }) : other
}

const EXTRA = 'impersonate-extra-'

/** Whom the headers ask to be taken for; undefined where they do not. */
function impersonationOf(exchange: Exchange): Impersonation | undefined {
  const names = exchange.headerNames().filter((name) => name.startsWith('impersonate-'))
  if (names.length === 0) return undefined
  const username = exchange.header('impersonate-user')
  const uid = exchange.header('impersonate-uid')
  const extra = names
    .filter((name) => name.startsWith(EXTRA))
    .map((name) => [decodeEscapes(name.slice(EXTRA.length)), exchange.headerValues(name)] as const)
  return {
    ...(username === undefined ? {} : { username }),
    ...(uid === undefined ? {} : { uid }),
    groups: exchange.headerValues('impersonate-group'),
    extra: Object.fromEntries(extra),
  }
}

function decodeEscapes(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

interface Asked<P> {
  readonly path: P
  readonly query: ReadonlyMap<string, readonly string[]>
  readonly user: UserInfo
  /** Who the sender really is, when they act as somebody else. */
  readonly impersonatedBy?: UserInfo | undefined
}

async function servePage(context: Context, reply: Reply, { path, query, user }: Asked<string>): Promise<void> {
  const { exchange } = reply
  const attributes = pageAttributes(path, exchange.method, user)
  const decision = context.server.authorize(attributes)
  if (!decision.allowed) return sendStatus(reply, forbidden(attributes, decision.because))
  const agreed = negotiate(exchange.header('accept'), discoveryShapes) ?? { format: 'json' }
  const handled = await context.pages.serve({ path, query, method: exchange.method, user, reply: { ...reply, agreed } })
  if (!handled) await sendStatus(reply, pathNotFound())
}

function pageAttributes(path: string, method: string, user: UserInfo): PathAttributes {
  return { user, verb: method.toLowerCase(), path }
}

type ResourcePath = Extract<ParsedPath, { is: 'resource' }>

async function serveResource(context: Context, reply: Reply, asked: Asked<ResourcePath>): Promise<void> {
  const { exchange } = reply
  const agreed = negotiate(exchange.header('accept'), objectShapes)
  if (!agreed) {
    return sendStatus(
      reply,
      failure('NotAcceptable', 'only the following media types are accepted: application/json, application/yaml'),
    )
  }
  const parsed = optionsOf(asked.query)
  if (!parsed.ok) return sendStatus(reply, failure('BadRequest', parsed.message))
  const verb = verbOf(exchange.method, asked.path, parsed.isWatch)
  if (!verb) return sendStatus(reply, methodNotAllowed())
  const wish = tableWish(agreed, asked.query)
  if ('status' in wish) return sendStatus(reply, wish.status)
  const read = await readRequest(exchange, asked, verb, parsed.options)
  if ('status' in read) return sendStatus(reply, read.status)
  // Other shapes than plain JSON are made of the whole list.
  const isPlain = verb === 'list' && wish.as === undefined && agreed.format === 'json'
  const request: ApiRequest = isPlain ? { ...read, inPages: true } : read
  const timeoutMs = timeoutOf(asked.query)
  if (timeoutMs === undefined) return sendStatus(reply, failure('BadRequest', 'timeout: is not a duration such as 10s'))
  const { clock } = context.server.kernel
  const began = clock.now()
  const response = await withinTime(request, timeoutMs, clock, (limited) => context.server.handle(limited))
  const { group, version, plural } = request
  const resource = context.server.registry().find(group, version, plural)
  context.metrics.answered({
    verb,
    group,
    version,
    // Only names that are served: others are anybody's invention.
    resource: resource ? plural : '',
    code: response.answer === 'status' ? response.status.code : response.answer === 'object' ? response.code : 200,
    seconds: (clock.now() - began) / 1_000,
  })
  return answer(context, { ...reply, agreed, warnings: response.warnings }, response, { resource, wish, request })
}

const connects: ReadonlySet<string> = new Set(['exec', 'attach', 'portforward', 'proxy'])

function verbOf(method: string, path: ResourcePath, isWatch: boolean): Verb | undefined {
  if (path.subresource !== undefined && connects.has(path.subresource)) return 'connect'
  const isOne = path.name !== undefined
  switch (method) {
    case 'GET':
    case 'HEAD':
      if (isWatch || path.isWatch) return 'watch'
      return isOne ? 'get' : 'list'
    case 'POST':
      return isOne && path.subresource === undefined ? undefined : 'create'
    case 'PUT':
      return isOne ? 'update' : undefined
    case 'PATCH':
      return isOne ? 'patch' : undefined
    case 'DELETE':
      return isOne ? 'delete' : 'deletecollection'
    default:
      return undefined
  }
}

async function readRequest(
  exchange: Exchange,
  { path, query, user, impersonatedBy }: Asked<ResourcePath>,
  verb: Verb,
  options: RequestOptions,
): Promise<ApiRequest | { readonly status: Status }> {
  const base: ApiRequest = {
    verb,
    group: path.group,
    version: path.version,
    plural: path.plural,
    ...(path.namespace === undefined ? {} : { namespace: path.namespace }),
    ...(path.name === undefined ? {} : { name: path.name }),
    ...(path.subresource === undefined ? {} : { subresource: path.subresource }),
    user,
    options: path.subresource === undefined ? options : { ...options, query },
    userAgent: exchange.header('user-agent') ?? '',
    sender: { address: exchange.remoteAddress, ...(impersonatedBy ? { impersonatedBy } : {}) },
    signal: exchange.signal,
  }
  // Reads answer at once: nobody need know whether the client still listens.
  if (verb === 'get' || verb === 'list' || verb === 'watch') return base
  if (verb === 'connect') return { ...base, signal: exchange.signal }
  const bytes = await bodyOf(exchange)
  if (!bytes.ok) return { status: bytes.error }
  const write: ApiRequest = { ...base, signal: exchange.signal }
  const contentType = exchange.header('content-type')
  if (verb === 'patch') {
    const patch = parsePatch(bytes.value, contentType)
    if (!patch.ok) return { status: patch.error }
    return { ...write, patch: patch.value.patch, bodyProblems: patch.value.problems }
  }
  if (verb === 'delete' || verb === 'deletecollection') {
    const said = parseDeleteOptions(bytes.value, contentType)
    if (!said.ok) return { status: said.error }
    return { ...write, options: { ...base.options, ...said.value } }
  }
  const body = parseBody(bytes.value, contentType)
  if (!body.ok) return { status: body.error }
  return { ...write, body: body.value.value, bodyProblems: body.value.problems }
}

interface Form {
  readonly resource: ServedResource | undefined
  readonly wish: TableWish
  readonly request: ApiRequest
}

async function answer(context: Context, reply: Reply, response: ApiResponse, form: Form): Promise<void> {
  switch (response.answer) {
    case 'status':
      return sendStatus(reply, response.status)
    case 'object': {
      const shape = reshaped(form.resource, form.wish, context.server.kernel.clock)
      if (shape) return send(reply, response.code, shape.object(response.object))
      return sendObject(reply, response.code, response.object, context.cache)
    }
    case 'list': {
      const shape = reshaped(form.resource, form.wish, context.server.kernel.clock)
      if (shape) return send(reply, 200, shape.list(response.list))
      if (reply.agreed.format === 'yaml') return send(reply, 200, response.list)
      const { list, rest } = response
      if (!rest && list.items.length <= SENT_AT_ONCE) return send(reply, 200, list, listBytes(list, context.cache))
      const sink = reply.exchange.stream(200, headersOf(reply, 'application/json'))
      return streamList(list, rest ?? [], context.cache, sink).catch((error: unknown) => {
        sink.destroy()
        throw error
      })
    }
    case 'watch': {
      const { kernel } = context.server
      const shape = reshaped(form.resource, form.wish, kernel.clock)
      const sink = reply.exchange.stream(200, headersOf(reply, 'application/json'))
      const signal = AbortSignal.any([reply.exchange.signal, context.draining])
      const closed = context.metrics.watchOpened()
      return streamWatch(response.watch, sink, context.lines, {
        signal,
        log: kernel.log,
        reshape: shape?.line(),
      }).finally(closed)
    }
    case 'connection':
      return sendConnection(reply, response.open)
  }
}
