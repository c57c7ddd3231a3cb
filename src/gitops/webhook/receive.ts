import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import { isObject, own } from '../../lib/json.ts'
import { fail, type Result, succeed } from '../../lib/result.ts'
import { type Forge, type WebhookEvent } from './push-event.ts'
import { readEvent } from './read-event.ts'

/** The secrets that senders prove themselves with (`webhook.*` of `argocd-secret`). */
export type WebhookSecrets = Readonly<Record<Forge, string>>

/** A request as it came: header names in lower case, and the very bytes that were signed. */
export interface WebhookRequest {
  readonly method: string
  readonly headers: Readonly<Record<string, string | undefined>>
  readonly body: Uint8Array
}

const KEYS: Readonly<Record<Forge, string>> = {
  github: 'webhook.github.secret',
  gitlab: 'webhook.gitlab.secret',
  gogs: 'webhook.gogs.secret',
  bitbucket: 'webhook.bitbucket.uuid',
  'bitbucket-server': 'webhook.bitbucketserver.secret',
}

/** Reads the data of the Secret; a value `$name` stands for another key of the same Secret. */
export function webhookSecrets(data: unknown): WebhookSecrets {
  const text = (key: string): string => {
    const value = isObject(data) ? own(data, key) : undefined
    return typeof value === 'string' ? Buffer.from(value, 'base64').toString('utf8').trim() : ''
  }
  const secret = (forge: Forge): string => {
    const value = text(KEYS[forge])
    return value.startsWith('$') ? text(value.slice(1)) || value : value
  }
  return {
    github: secret('github'),
    gitlab: secret('gitlab'),
    gogs: secret('gogs'),
    bitbucket: secret('bitbucket'),
    'bitbucket-server': secret('bitbucket-server'),
  }
}

/** Compares without telling by the time it takes how much was right. */
function isSame(a: string, b: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(a), digest(b))
}

const hmac = (algorithm: 'sha256' | 'sha1', secret: string, body: Uint8Array): string =>
  createHmac(algorithm, secret).update(body).digest('hex')

/** Who sent it, by the headers. Gitea and Gogs also carry GitHub's, so that they are asked first. */
function senderOf(headers: WebhookRequest['headers']): { readonly forge: Forge; readonly kind: string } | undefined {
  const named = (name: string): string => headers[name] ?? ''
  const gogs = named('x-gogs-event') || named('x-gitea-event') || named('x-forgejo-event')
  if (gogs) return { forge: 'gogs', kind: gogs }
  if (named('x-github-event')) return { forge: 'github', kind: named('x-github-event') }
  if (named('x-gitlab-event')) return { forge: 'gitlab', kind: named('x-gitlab-event') }
  const key = named('x-event-key')
  if (!key) return undefined
  return { forge: named('x-hook-uuid') ? 'bitbucket' : 'bitbucket-server', kind: key }
}

/** Whether the sender knows the secret. */
function isSigned(forge: Forge, secret: string, { headers, body }: WebhookRequest): boolean {
  const header = (name: string): string => headers[name] ?? ''
  switch (forge) {
    case 'gitlab':
      return isSame(header('x-gitlab-token'), secret)
    case 'bitbucket':
      return isSame(header('x-hook-uuid').replace(/[{}]/g, ''), secret.replace(/[{}]/g, ''))
    case 'gogs': {
      const signature = header('x-gogs-signature') || header('x-gitea-signature') || header('x-forgejo-signature')
      return isSame(signature.toLowerCase(), hmac('sha256', secret, body))
    }
    case 'github':
    case 'bitbucket-server': {
      const strong = header('x-hub-signature-256') || header('x-hub-signature')
      if (strong.startsWith('sha256=')) return isSame(strong.toLowerCase(), `sha256=${hmac('sha256', secret, body)}`)
      return isSame(header('x-hub-signature').toLowerCase(), `sha1=${hmac('sha1', secret, body)}`)
    }
  }
}

const refuse = (message: string, cure?: string): Result<never> =>
  fail({ code: 'webhook-refused', message, ...(cure === undefined ? {} : { cure }) })

/** Reads a form's `payload` field, or the body itself. */
function jsonOf({ headers, body }: WebhookRequest): unknown {
  const text = new TextDecoder().decode(body)
  const isForm = (headers['content-type'] ?? '').startsWith('application/x-www-form-urlencoded')
  try {
    return JSON.parse(isForm ? (new URLSearchParams(text).get('payload') ?? '') : text)
  } catch {
    // Whoever asked says what was expected.
    return undefined
  }
}

/**
 * Checks who sent a webhook and reads what it says. Where a secret is set, nothing is read that was not signed with it. The
 * answer to whoever cannot sign does not tell what was wrong.
 */
export function receiveWebhook(request: WebhookRequest, secrets: WebhookSecrets): Result<WebhookEvent> {
  if (request.method !== 'POST') return refuse('webhooks are sent by POST')
  const sender = senderOf(request.headers)
  if (!sender) return refuse('unknown webhook event', 'GitHub, GitLab, Gitea, Gogs and Bitbucket are understood')
  const secret = secrets[sender.forge]
  if (secret !== '' && !isSigned(sender.forge, secret, request)) {
    return refuse(
      'the signature does not fit',
      `compare the secret of the webhook with ${KEYS[sender.forge]} of argocd-secret`,
    )
  }
  const payload = jsonOf(request)
  if (!isObject(payload)) return refuse('the body is no JSON object', 'let the sender use application/json')
  return succeed(readEvent(sender.forge, sender.kind, payload))
}
