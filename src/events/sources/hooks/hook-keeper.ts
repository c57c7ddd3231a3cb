import { createHash } from 'node:crypto'
import type { Clock } from '../../../lib/clock.ts'
import { millisecondsOf, parseDuration } from '../../../lib/duration.ts'
import { fieldsOf, isSet, textOf } from '../../../lib/fields.ts'
import { isObject, own } from '../../../lib/json.ts'
import type { Log } from '../../../lib/log.ts'
import { fail, type Problem, type Result, succeed } from '../../../lib/result.ts'
import type { ServiceHttp } from '../../../runtime/service-http.ts'
import type { SourceEntry } from '../../eventsource/event-source.ts'
import { webhookContextOf } from '../../eventsource/check-webhooks.ts'
import type { SecretValues } from '../secret-values.ts'
import type { MakeSource, Source } from '../source.ts'
import { hookUrlOf } from '../webhook/route.ts'
import { askForge, type ForgeAccess } from './ask-forge.ts'
import { bitbucketForge, bitbucketServerForge } from './bitbucket-forges.ts'
import type { AskForge, Forge, ForgeGiven, ForgeRequest, HookTarget, KnownHook } from './forge.ts'
import { githubForge } from './github-forge.ts'
import { gitlabForge } from './gitlab-forge.ts'

export interface HookPorts {
  readonly clock: Clock
  readonly log: Log
  readonly secrets: SecretValues
  /** HTTP on behalf of a namespace, guarded as that of its triggers is. */
  readonly httpFor: (namespace: string) => Promise<Result<ServiceHttp>>
}

const CHECK_MS = 10 * 60_000
/** Upstream looks at the hooks of Bitbucket Server so often. */
const SERVER_CHECK_MS = 60_000
const FIRST_RETRY_MS = 5_000
const LONGEST_RETRY_MS = 5 * 60_000
const LONGEST_REMOVAL_MS = 60_000
const MOST_PAGES = 10

/** Keeps the hooks of a source registered with its forge. Where that fails, deliveries are taken all the same. */
export function hookKeeper(ports: HookPorts): MakeSource {
  return ({ entry, object, onTrouble }) =>
    new HookKeeper(ports, { entry, namespace: object.metadata.namespace ?? '', onTrouble })
}

interface KeeperGiven {
  readonly entry: SourceEntry
  readonly namespace: string
  readonly onTrouble: () => void
}

class HookKeeper implements Source {
  readonly #ports: HookPorts
  readonly #given: KeeperGiven
  #trouble: string | undefined
  #hasTried = false
  /** What was registered, by the URL of its target: the id that the forge gave it, and what it looks like. */
  readonly #registered = new Map<string, { readonly id: string; readonly as: string }>()

  constructor(ports: HookPorts, given: KeeperGiven) {
    this.#ports = ports
    this.#given = given
  }

  trouble(): string | undefined {
    return this.#trouble
  }

  isStarting(): boolean {
    return !this.#hasTried
  }

  async run(signal: AbortSignal): Promise<void> {
    for (let failures = 0; !signal.aborted;) {
      const problems = await this.#registerAll(signal)
      if (signal.aborted) return
      this.#trouble = problems.length === 0 ? undefined : problems.join('; ')
      this.#hasTried = true
      this.#given.onTrouble()
      failures = problems.length === 0 ? 0 : failures + 1
      const waitMs =
        failures === 0 ? this.#everyMs() : Math.min(FIRST_RETRY_MS * 2 ** Math.min(failures - 1, 10), LONGEST_RETRY_MS)
      await this.#ports.clock.sleep(waitMs, { signal }).catch(() => {})
    }
  }

  /** Takes the hooks away, where that is asked for; what takes its place goes on with them. */
  async retire(next: Source | undefined): Promise<void> {
    if (next instanceof HookKeeper) {
      for (const [url, hook] of this.#registered) next.#registered.set(url, { ...hook, as: '' })
      return
    }
    const problems = await this.#remove([...this.#registered.keys()], AbortSignal.timeout(LONGEST_REMOVAL_MS))
    if (problems.length > 0) throw new Error(problems.join('; '))
  }

  /** Removes hooks of ours, by the URLs of their targets. */
  async #remove(urls: readonly string[], signal: AbortSignal): Promise<readonly string[]> {
    if (!isSet(this.#given.entry.spec, 'deleteHookOnFinish') || urls.length === 0) return []
    const made = await this.#forge(signal)
    if (!made.ok) return made.error.map(({ message }) => message)
    const problems: string[] = []
    for (const url of urls) {
      const { id = '' } = this.#registered.get(url) ?? {}
      const gone = await made.value.ask({ method: 'DELETE', url: `${url}/${encodeURIComponent(id)}` })
      if (gone.ok || isGone(gone.error)) this.#registered.delete(url)
      else problems.push(...gone.error.map(({ message }) => message))
    }
    return problems
  }

  #everyMs(): number {
    const { kind, spec } = this.#given.entry
    const given = parseDuration(textOf(spec, 'checkInterval'))
    if (kind.field !== 'bitbucketserver') return CHECK_MS
    return given.ok && given.value > 0n ? Math.max(1_000, millisecondsOf(given.value)) : SERVER_CHECK_MS
  }

  async #registerAll(signal: AbortSignal): Promise<readonly string[]> {
    const made = await this.#forge(signal)
    if (!made.ok) return made.error.map(({ message }) => message)
    const { forge, ask } = made.value
    const targets = await forge.targets(ask)
    if (!targets.ok) return targets.error.map(({ message }) => message)
    const problems: string[] = []
    for (const target of targets.value) {
      const registered = await this.#register(target, forge, ask)
      if (!registered.ok) problems.push(...registered.error.map(({ message }) => `${target.name}: ${message}`))
    }
    const wanted = new Set(targets.value.map(({ url }) => url))
    problems.push(
      ...(await this.#remove(
        [...this.#registered.keys()].filter((url) => !wanted.has(url)),
        signal,
      )),
    )
    return problems
  }

  async #register(target: HookTarget, forge: Forge, ask: AskForge): Promise<Result<true>> {
    const url = hookUrlOf(webhookContextOf(this.#given.entry.kind.field, this.#given.entry.spec) ?? {})
    const as = createHash('sha256').update(JSON.stringify(forge.wanted)).digest('hex')
    const found = await findHook(target, url, forge, ask)
    if (!found.ok) return found
    const known = found.value
    const ours = this.#registered.get(target.url)
    // A secret is not shown: whether it is the right one is only known of what was registered here.
    if (known?.isAsWanted && ours?.as === as) return succeed(true)
    // A hook of ours may send to where this source was reached before.
    const id = known?.id ?? ours?.id
    const updated = id === undefined ? undefined : await ask(updateOf(target, id, forge))
    const isUpdated = updated !== undefined && (updated.ok || !isGone(updated.error))
    const written = isUpdated ? updated : await ask({ method: 'POST', url: target.url, body: forge.wanted })
    if (!written.ok) return written
    const given = forge.readHook(fieldsOf({ written: written.value }, 'written')).id
    this.#registered.set(target.url, { id: isUpdated ? (id ?? given) : given, as })
    this.#ports.log.info(isUpdated ? 'a hook was updated' : 'a hook was registered', { target: target.name })
    return succeed(true)
  }

  async #forge(signal: AbortSignal): Promise<Result<{ readonly forge: Forge; readonly ask: AskForge }>> {
    const { entry, namespace } = this.#given
    const { clock, secrets, httpFor } = this.#ports
    const http = await httpFor(namespace)
    if (!http.ok) return http
    const secret = (selector: unknown): Result<string | undefined> => {
      if (!isObject(selector)) return succeed(undefined)
      return secrets(namespace, { name: textOf(selector, 'name'), key: textOf(selector, 'key') })
    }
    const tls = tlsOf(fieldsOf(entry.spec, 'tls'), secret)
    if (!tls.ok) return tls
    const access: ForgeAccess = { http: http.value, signal, ...tls.value }
    const hookUrl = hookUrlOf(webhookContextOf(entry.kind.field, entry.spec) ?? {})
    const forge = await forgeOf(
      entry.kind.field,
      { spec: entry.spec, hookUrl, secret, nowMs: clock.now() },
      askForge(access, {}),
    )
    return forge.ok ? succeed({ forge: forge.value, ask: askForge(access, forge.value.headers) }) : forge
  }
}

const isGone = (problems: readonly Problem[]): boolean => problems.some(({ at }) => at === '404')

const updateOf = (target: HookTarget, id: string, forge: Forge): ForgeRequest => ({
  method: forge.updateMethod,
  url: `${target.url}/${encodeURIComponent(id)}`,
  body: forge.wanted,
})

function forgeOf(field: string, given: ForgeGiven, ask: AskForge): Result<Forge> | Promise<Result<Forge>> {
  switch (field) {
    case 'github':
      return githubForge(given, ask)
    case 'gitlab':
      return gitlabForge(given)
    case 'bitbucket':
      return bitbucketForge(given)
    case 'bitbucketserver':
      return bitbucketServerForge(given)
    default:
      return fail({
        code: 'hook-not-registered',
        message: `hooks of ${field} are not registered by this platform: add one that sends to ${given.hookUrl}`,
      })
  }
}

/** The certificates that a forge is known by, and that we are known by there. */
function tlsOf(
  tls: Readonly<Record<string, unknown>>,
  secret: ForgeGiven['secret'],
): Result<Pick<ForgeAccess, 'ca' | 'cert' | 'key' | 'skipVerify'>> {
  const [ca, cert, key] = ['caCertSecret', 'clientCertSecret', 'clientKeySecret'].map((name) => secret(own(tls, name)))
  for (const one of [ca, cert, key]) if (one && !one.ok) return one
  const given = (name: string, one: typeof ca): object =>
    one?.ok && one.value !== undefined ? { [name]: one.value } : {}
  return succeed({
    ...given('ca', ca),
    ...given('cert', cert),
    ...given('key', key),
    skipVerify: isSet(tls, 'insecureSkipVerify'),
  })
}

async function findHook(
  target: HookTarget,
  url: string,
  forge: Forge,
  ask: AskForge,
): Promise<Result<KnownHook | undefined>> {
  for (let page = 0; page < MOST_PAGES; page += 1) {
    const answered = await ask({ method: 'GET', url: forge.pageUrl(target, page) })
    if (!answered.ok) return answered
    const { hooks, isLast } = forge.readPage(answered.value)
    const known = hooks.map((hook) => forge.readHook(hook)).find((hook) => hook.url === url)
    if (known || isLast) return succeed(known)
  }
  return succeed(undefined)
}
