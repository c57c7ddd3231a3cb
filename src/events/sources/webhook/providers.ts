import type { Provider } from './provider.ts'
import { bitbucketServerWebhook } from './providers/bitbucketserver.ts'
import { githubWebhook } from './providers/github.ts'
import { gitlabWebhook } from './providers/gitlab.ts'
import { plainWebhook } from './providers/plain.ts'
import { slackWebhook } from './providers/slack.ts'
import { unsignedWebhook } from './providers/unsigned.ts'

/** How the deliveries of each kind of webhook are read. */
export const providers: ReadonlyMap<string, Provider> = new Map([
  ['webhook', plainWebhook],
  ['github', githubWebhook],
  ['gitlab', gitlabWebhook],
  ['bitbucket', unsignedWebhook],
  ['bitbucketserver', bitbucketServerWebhook],
  ['gerrit', unsignedWebhook],
  ['slack', slackWebhook],
])
