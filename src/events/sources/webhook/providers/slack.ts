import { createHmac } from 'node:crypto'
import { fieldsOf, textOf } from '../../../../lib/fields.ts'
import { isObject } from '../../../../lib/json.ts'
import { type Delivery, headerOf } from '../delivery.ts'
import { readJson } from '../payload.ts'
import { type Provider, type Received, refuseDelivery, withoutSecret } from '../provider.ts'
import { isSameText } from '../signature.ts'

/** An older request is somebody repeating what was said before. */
const LONGEST_AGO_SECONDS = 5 * 60
const decoder = new TextDecoder()

/** Slack: events of the Events API, slash commands and interactions, each signed with the signing secret. */
export const slackWebhook: Provider = (delivery, { secret, nowMs }) => {
  const key = secret('signingSecret')
  const token = secret('token')
  if (!key.ok || !token.ok) return withoutSecret('signing secret')
  const wrong = key.value ? whatIsWrong(delivery, key.value, nowMs) : undefined
  if (wrong !== undefined) return refuseDelivery(401, wrong, 'signature')
  if (headerOf(delivery.headers, 'Content-Type').startsWith('application/x-www-form-urlencoded'))
    return formOf(delivery)
  return eventOf(delivery, token.value ?? '')
}

function whatIsWrong({ headers, body }: Delivery, secret: string, nowMs: number): string | undefined {
  const [signature, timestamp] = [
    headerOf(headers, 'X-Slack-Signature'),
    headerOf(headers, 'X-Slack-Request-Timestamp'),
  ]
  if (signature === '' || !/^\d{1,15}$/.test(timestamp)) return 'cannot create secrets verifier, missing headers'
  if (Math.abs(nowMs / 1_000 - Number(timestamp)) > LONGEST_AGO_SECONDS) return 'timestamp is too old'
  const expected = createHmac('sha256', secret).update(`v0:${timestamp}:`).update(body).digest('hex')
  return isSameText(signature.toLowerCase(), `v0=${expected}`) ? undefined : 'signature validation failed'
}

/** What Slack tells of a slash command, in the order of slack-go; flags are told as texts. */
const COMMAND_FIELDS = [
  'token',
  'team_id',
  'team_domain',
  'enterprise_id',
  'enterprise_name',
  'channel_id',
  'channel_name',
  'user_id',
  'user_name',
  'command',
  'text',
  'response_url',
  'trigger_id',
  'api_app_id',
]
const OPTIONAL = new Set(['enterprise_id', 'enterprise_name'])

function formOf({ body }: Delivery): Received {
  const form = new URLSearchParams(decoder.decode(body))
  const payload = form.get('payload') ?? ''
  if (payload !== '') {
    const read = readJson(payload)
    return read.ok ? published(read.value.text) : refuseDelivery(500, 'failed to parse interaction event', 'body')
  }
  if (!form.get('command')) return refuseDelivery(500, 'could not determine slack type from form parameters', 'body')
  const told = COMMAND_FIELDS.flatMap((name) => {
    const value = form.get(name) ?? ''
    return value === '' && OPTIONAL.has(name) ? [] : [[name, value] as const]
  })
  const flag = form.get('is_enterprise_install') === 'true'
  return published(JSON.stringify({ ...Object.fromEntries(told), is_enterprise_install: flag }))
}

function eventOf({ body }: Delivery, token: string): Received {
  const read = readJson(body)
  if (!read.ok || !isObject(read.value.value)) return refuseDelivery(500, 'failed to extract event', 'body')
  const outer = read.value.value
  if (token !== '' && !isSameText(textOf(outer, 'token'), token))
    return refuseDelivery(401, 'Invalid verification token', 'token')
  const type = textOf(outer, 'type')
  if (type === 'url_verification') return { do: 'answer', answer: { status: 200, body: textOf(outer, 'challenge') } }
  if (type !== 'event_callback') return { do: 'answer', answer: { status: 200, body: 'success' } }
  const inner = fieldsOf(outer, 'event')
  return published(JSON.stringify({ type: textOf(inner, 'type'), Data: inner }), textOf(outer, 'event_id'))
}

/** The id of an event of the Events API stays while Slack tries again; commands and interactions are not tried again. */
function published(data: string, id: string = ''): Received {
  return { do: 'publish', events: [{ data, ...(id === '' ? {} : { delivery: id }) }] }
}
