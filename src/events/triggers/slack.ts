import { textOf, fieldsOf } from '../../lib/fields.ts'
import { isObject } from '../../lib/json.ts'
import { describeError } from '../../lib/log.ts'
import { fail, type Problem, type Result, succeed } from '../../lib/result.ts'
import type { ServiceResponse } from '../../runtime/service-http.ts'
import type { Fired } from '../sensor/trigger.ts'
import type { SlackAction } from './action.ts'
import { keyValue } from './request-action.ts'
import type { Sending } from './send-request.ts'
import { invalid, parametersAt } from './template.ts'

type Fields = Readonly<Record<string, unknown>>

const TIMEOUT_MS = 30_000
const MOST_THREADS = 1_000

/** Where Slack's API is, unless somebody says otherwise. */
export const SLACK_API = 'https://slack.com/api'

/** What is wrong with a slack section whatever the event. */
export function checkSlack(section: Fields): readonly Problem[] {
  const parameters = parametersAt(section, 'parameters', 'slack')
  if (!parameters.ok) return parameters.error
  const problems: Problem[] = []
  const filled = new Set(parameters.value.map(({ dest }) => dest))
  const token = keyValue('Secret', section['slackToken'], 'slack.slackToken')
  if (!token.ok) problems.push(...token.error)
  if (textOf(section, 'channel') === '' && !filled.has('channel'))
    problems.push(invalid('slack.channel', 'there is no channel to post to'))
  const texts = ['message', 'attachments', 'blocks']
  if (texts.every((field) => textOf(section, field) === '' && !filled.has(field)))
    problems.push(invalid('slack.message', 'there is nothing to post', 'write message, attachments or blocks'))
  return problems
}

/** The message that a slack section, with its parameters in it, asks for. */
export function slackAction(section: Fields): Result<SlackAction> {
  const [problem] = checkSlack({ ...section, parameters: undefined })
  if (problem) return fail(problem)
  const token = keyValue('Secret', section['slackToken'], 'slack.slackToken')
  if (!token.ok) return token
  const parts: { attachments?: unknown; blocks?: unknown } = {}
  for (const part of ['attachments', 'blocks'] as const) {
    const text = textOf(section, part)
    if (text === '') continue
    const list = listIn(text)
    if (!list) return fail(invalid(`slack.${part}`, `${part} must be a list in JSON`))
    parts[part] = list
  }
  const thread = fieldsOf(section, 'thread')
  const sender = fieldsOf(section, 'sender')
  return succeed({
    do: 'slack',
    channel: textOf(section, 'channel').replace(/^#/, ''),
    token: token.value,
    message: textOf(section, 'message'),
    ...parts,
    threadKey: textOf(thread, 'messageAggregationKey'),
    isBroadcast: thread['broadcastMessageToChannel'] === true,
    username: textOf(sender, 'username'),
    icon: textOf(sender, 'icon'),
  })
}

function listIn(text: string): readonly unknown[] | undefined {
  try {
    const list: unknown = JSON.parse(text)
    return Array.isArray(list) ? list : undefined
  } catch {
    // Whoever asks says what was expected.
    return undefined
  }
}

/** Which message began a thread, by channel and aggregation key, as long as the process lives. */
export class SlackThreads {
  readonly #began = new Map<string, string>()

  begun(channel: string, key: string): string | undefined {
    return this.#began.get(JSON.stringify([channel, key]))
  }

  begin(channel: string, key: string, timestamp: string): void {
    const oldest = this.#began.size >= MOST_THREADS ? this.#began.keys().next().value : undefined
    if (oldest !== undefined) this.#began.delete(oldest)
    this.#began.set(JSON.stringify([channel, key]), timestamp)
  }
}

/** What is posted, as chat.postMessage takes it; the token is no part of it. */
export function slackBody(action: SlackAction, threads: SlackThreads): Fields {
  const { channel, message, attachments, blocks, username, icon, threadKey, isBroadcast } = action
  const thread = threadKey === '' ? undefined : threads.begun(channel, threadKey)
  return {
    channel,
    ...(message === '' ? {} : { text: message }),
    ...(attachments === undefined ? {} : { attachments }),
    ...(blocks === undefined ? {} : { blocks }),
    ...(username === '' ? {} : { username }),
    ...(icon === '' ? {} : /^:.*:$/.test(icon) ? { icon_emoji: icon } : { icon_url: icon }),
    ...(thread === undefined ? {} : { thread_ts: thread, reply_broadcast: isBroadcast }),
  }
}

/** Posts a message; what Slack refuses is a problem in its word for it. */
export async function postToSlack(
  action: SlackAction,
  { http, read, signal, base, threads }: Sending & { readonly base: string; readonly threads: SlackThreads },
): Promise<Result<Fired>> {
  const token = await read(action.token)
  if (!token.ok) return token
  const cannot = (why: string): Result<never> =>
    fail({
      code: 'trigger-unreachable',
      message: `cannot post to the Slack channel ${JSON.stringify(action.channel)}: ${why}`,
    })
  let answer: ServiceResponse
  try {
    answer = await http({
      method: 'POST',
      url: `${base}/chat.postMessage`,
      headers: { 'content-type': 'application/json; charset=utf-8', authorization: `Bearer ${token.value.trim()}` },
      body: JSON.stringify(slackBody(action, threads)),
      timeoutMs: TIMEOUT_MS,
      signal,
    })
  } catch (error) {
    if (signal.aborted) throw error
    return cannot(describeError(error))
  }
  const said = answerIn(answer.body)
  if (answer.status !== 200) return cannot(`Slack answered ${answer.status}`)
  if (!isObject(said) || said['ok'] !== true)
    return cannot(`Slack answered ${JSON.stringify(textOf(said, 'error') || 'no JSON')}`)
  const timestamp = textOf(said, 'ts')
  if (action.threadKey !== '' && timestamp !== '' && threads.begun(action.channel, action.threadKey) === undefined)
    threads.begin(action.channel, action.threadKey, timestamp)
  return succeed({
    because: `posted to the Slack channel ${JSON.stringify(action.channel)}`,
    values: { channel: action.channel },
  })
}

function answerIn(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // What is no JSON is no consent.
    return undefined
  }
}
